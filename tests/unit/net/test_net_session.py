import pytest
import requests.certs

from flaskllm.net.session import check_ca_bundle


@pytest.mark.parametrize(
    "content", [None, "", "no certificate"], ids=["missing", "empty", "no PEM"]
)
def test_a_ca_bundle_without_certificates_is_refused_by_its_path(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ValueError, match="PEM") as caught:
        check_ca_bundle(str(path))

    assert str(path) in str(caught.value)


def test_a_ca_bundle_may_be_a_file_or_a_folder(tmp_path):
    check_ca_bundle(requests.certs.where())
    check_ca_bundle(str(tmp_path))
