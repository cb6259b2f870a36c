"""Self-signed certificates, made anew for each run."""

import datetime
import ipaddress
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificate:
    """A self-signed certificate in a PEM file, and a server that shows it."""

    def __init__(self, folder, name="127.0.0.1", days=1, dns_name=None):
        """Make one for an address, or for a name in its place."""
        key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, "test upstream")]
        )
        began = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=10)
        ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
        public = key.public_key()
        owner = (
            x509.DNSName(dns_name)
            if dns_name
            else x509.IPAddress(ipaddress.ip_address(name))
        )
        usage = x509.KeyUsage(True, False, False, False, False, True, False, None, None)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(began)
            .not_valid_after(ends)
            .add_extension(x509.SubjectAlternativeName([owner]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .sign(key, hashes.SHA256())
        )
        self.path = folder / "certificate.pem"
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_path = folder / "key.pem"
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.load_cert_chain(self.path, key_path)
