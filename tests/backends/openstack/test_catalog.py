"""Which of a catalog's endpoints is a service's, and by what it is known again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import BackendError, InvalidInput
from karbor_backup_openstack.catalog import (
    Endpoint,
    Service,
    base_url,
    build_scope,
    choose_region,
    parse_catalog,
)

PROJECT = "03fb1492a4884913abafd74fb0735b7b"
ONE = Endpoint("s1", "One", "public", "http://freezer:9090")
TWO = Endpoint("s1", "Two", "public", "https://two.example.org/backup")
FREEZER = Service("backup", "Freezer", "v2/{project}", "Freezer's URL as endpoint")


@pytest.mark.parametrize(
    "url",
    [
        "http://freezer:9090",
        "HTTP://FREEZER:9090/",
        "http://freezer.:9090//",
        f"http://freezer:9090/v2/{PROJECT}",
        f"http://freezer:9090/v2/{PROJECT}/",
        "http://freezer:9090/v1",
        f"http://freezer:9090/v2.0/AUTH_{PROJECT}",
        " http://freezer:9090/v2/?x=1#y ",
    ],
)
def test_equivalent_urls_are_normalized_to_one(url: str) -> None:
    assert base_url(url, PROJECT) == "http://freezer:9090"


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://Freezer:80/", "http://freezer"),
        ("https://freezer:443", "https://freezer"),
        ("https://freezer:80", "https://freezer:80"),
        ("http://[FE80::1]:9090/", "http://[fe80::1]:9090"),
        ("https://example.org/Backup/v2", "https://example.org/Backup"),
    ],
)
def test_default_ports_are_left_out_and_paths_kept(url: str, base: str) -> None:
    assert base_url(url, PROJECT) == base


@pytest.mark.parametrize("url", ["freezer:9090", "ftp://freezer", "http://", "http://x:port"])
def test_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(BackendError, match="is not a URL"):
        base_url(url, PROJECT)


@given(
    host=st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{2,5})?", fullmatch=True),
    port=st.none() | st.integers(1, 65535),
    path=st.lists(st.sampled_from(["backup", "v2", "x"]), max_size=3).map("/".join),
)
def test_normalized_url_is_unchanged(host: str, port: int | None, path: str) -> None:
    base = base_url(f"https://{host}{'' if port is None else f':{port}'}/{path}", PROJECT)
    assert not base.endswith("/v2") or base_url(base, PROJECT) != base
    assert base_url(f"{base.replace(host, host.upper(), 1)}/", PROJECT) == base_url(base, PROJECT)


def test_service_in_the_catalog_is_identified_by_id_and_region() -> None:
    scope = build_scope("http://freezer:9090", [ONE, TWO], "One", PROJECT)
    assert scope == f"service s1 in region One|{PROJECT}"
    both = [ONE, Endpoint("s1", "Two", "public", ONE.url)]
    assert build_scope(ONE.url, both, "Two", PROJECT) == f"service s1 in region Two|{PROJECT}"


def test_service_outside_the_catalog_is_identified_by_its_url() -> None:
    assert build_scope("http://other", [ONE, TWO], "One", PROJECT) == f"http://other|{PROJECT}"
    assert build_scope("http://other", [], None, PROJECT) == f"http://other|{PROJECT}"


def test_region_is_the_requested_or_the_only_one() -> None:
    assert choose_region([ONE, TWO], "Two", FREEZER) == "Two"
    assert choose_region([ONE], None, FREEZER) == "One"
    assert choose_region([], "One", FREEZER) == "One"
    with pytest.raises(InvalidInput, match="'Three': it has one in: One, Two; name"):
        choose_region([ONE, TWO], "Three", FREEZER)
    with pytest.raises(InvalidInput, match=r"did you mean 'Two'\?"):
        choose_region([ONE, TWO], "two", FREEZER)
    source = "cloud 'demo' (/etc/openstack/clouds.yaml)"
    with pytest.raises(InvalidInput, match=r"catalog of cloud 'demo' ./etc/openstack/clouds.yaml"):
        choose_region([ONE, TWO], "Three", FREEZER, source)
    with pytest.raises(InvalidInput, match=r"several regions .One, Two.: name the region"):
        choose_region([TWO, ONE], None, FREEZER)


def test_endpoints_of_an_alias_come_after_those_of_the_official_type() -> None:
    catalog = [
        {"type": kind, "id": kind, "endpoints": [{"url": f"http://{kind}", "region_id": "One"}]}
        for kind in ("volumev2", "volumev3", "image", "block-storage")
    ]
    found = [endpoint.service for endpoint in parse_catalog(catalog, "block-storage")]
    assert found == ["block-storage", "volumev3", "volumev2"]


def test_service_under_two_types_has_one_scope_in_whichever_order_the_catalog_lists_them() -> None:
    catalog = [
        {"type": kind, "id": kind, "endpoints": [{"url": f"http://cinder/{api}"}]}
        for kind, api in (("volumev2", "v2"), ("volumev3", "v3"))
    ]
    scopes = {
        build_scope("http://cinder", parse_catalog(listed, "block-storage"), None, PROJECT)
        for listed in (catalog, catalog[::-1])
    }
    assert scopes == {f"service volumev3 in region |{PROJECT}"}
