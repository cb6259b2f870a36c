import ssl

import pytest
import requests.certs

from flaskllm.net.session import MOST_URLS, Adapter, check_ca_bundle


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


def test_all_urls_of_a_host_share_a_pool_however_many_there_are():
    adapter = Adapter(2, ssl.create_default_context())

    def pool_of(path):
        request = requests.Request("GET", f"https://models.test/{path}").prepare()
        return adapter.get_connection_with_tls_context(request, True)

    pools = {pool_of(number) for number in range(MOST_URLS + 2)}
    pools.add(pool_of(0))

    assert len(pools) == 1
