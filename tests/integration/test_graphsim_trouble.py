"""Trouble on the wire, batches, limits and certificates, over real HTTPS with httpx and msal."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msal
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from graphsim.serve import RunningSimulator
from graphsim.sign_in import tokens
from graphsim.simulator import SimulatorConfig
from graphsim.trouble.limits import Bucket

CONFIG = SimulatorConfig(seed="tests", tenants=2, users=300, now=datetime(2026, 9, 1, tzinfo=UTC))
SCOPE = "https://graph.microsoft.com/.default"
USERS = "/v1.0/users?$top=300"


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphsim")


@pytest.fixture
def running(state_dir: Path) -> Iterator[RunningSimulator]:
    with RunningSimulator(CONFIG, state_dir) as simulator:
        yield simulator


@pytest.fixture
def http(running: RunningSimulator) -> Iterator[httpx.Client]:
    """A client signed in to tenant 0."""
    context = ssl.create_default_context(cafile=running.ca_path)
    tenant = running.simulator.state(0).tenant
    token = tokens.issue(CONFIG.seed, tenant, at=time.time(), lifetime=600)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=running.base_url, verify=context, trust_env=False, headers=headers) as client:
        yield client


def order(http: httpx.Client, **fault: object) -> None:
    assert http.post("/_sim/faults", json={"times": 1, **fault}).status_code == 200


def test_a_cut_answer_ends_in_the_middle_of_its_body(http: httpx.Client) -> None:
    whole = http.get(USERS)
    order(http, kind="cut", path_contains="/users")

    with http.stream("GET", USERS) as answer, pytest.raises(httpx.TransportError):
        answer.read()

    assert answer.status_code == 200
    assert 0 < answer.num_bytes_downloaded < len(whole.content) == int(answer.headers["Content-Length"])
    assert http.get(USERS).content == whole.content


def test_a_slow_answer_trickles_and_arrives_whole(http: httpx.Client) -> None:
    whole = http.get(USERS)
    order(http, kind="slow", seconds=0.5)
    begun = time.monotonic()

    with http.stream("GET", USERS) as answer:
        chunks = [chunk for chunk in answer.iter_raw() if chunk]

    assert b"".join(chunks) == whole.content
    assert len(chunks) > 1
    assert time.monotonic() - begun >= 0.4


def test_a_slow_answer_runs_into_the_clients_timeout(http: httpx.Client) -> None:
    order(http, kind="slow", seconds=30)

    with pytest.raises(httpx.ReadTimeout):
        http.get(USERS, timeout=httpx.Timeout(5, read=0.2))


def test_a_hanging_answer_comes_after_its_time_and_not_before(http: httpx.Client) -> None:
    order(http, kind="hang", seconds=0.5, times=2)

    with pytest.raises(httpx.ReadTimeout):
        http.get(USERS, timeout=httpx.Timeout(5, read=0.1))
    assert http.get(USERS, timeout=5).status_code == 200


def test_a_malformed_answer_says_it_is_whole_and_is_no_json(http: httpx.Client) -> None:
    order(http, kind="malformed")

    answer = http.get(USERS)

    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"])
    with pytest.raises(ValueError, match="line 1 column"):
        answer.json()


def test_faults_for_everybody_are_taken_back(http: httpx.Client) -> None:
    assert http.post("/_sim/faults", json={"kind": "503"}).status_code == 200
    (told,) = http.get("/_sim/faults").json()["faults"]
    failed = http.get(USERS)
    http.delete("/_sim/faults")

    assert (told["status"], told["times"], told["rate"]) == (503, None, 1.0)
    assert (failed.status_code, failed.headers["Retry-After"]) == (503, "1")
    assert http.get("/_sim/faults").json() == {"faults": []}
    assert http.get(USERS).status_code == 200
    assert http.post("/_sim/faults", json={"kind": "unheard"}).status_code == 400


@pytest.mark.parametrize("path", ["/_sim", "/_sim/weather", "/_sim/tenants/0/weather"])
def test_an_unknown_route_of_the_simulators_own_is_404_and_not_graphs_to_refuse(http: httpx.Client, path: str) -> None:
    answer = http.get(path)

    assert (answer.status_code, list(answer.json())) == (404, ["error"])
    assert path in answer.json()["error"]


def test_a_batch_is_answered_200_and_cut_as_a_whole(http: httpx.Client) -> None:
    items = [{"id": str(number), "method": "GET", "url": "/users?$select=id"} for number in range(20)]
    http.post("/_sim/faults", json={"kind": "429", "path_contains": "/users", "times": 3})

    answer = http.post("/v1.0/$batch", json={"requests": items})
    order(http, kind="cut", path_contains="$batch")

    statuses = [response["status"] for response in answer.json()["responses"]]
    assert (answer.status_code, sorted(statuses)) == (200, [200] * 17 + [429] * 3)
    with pytest.raises(httpx.TransportError):
        http.post("/v1.0/$batch", json={"requests": items})
    assert http.post("/v1.0/$batch", content=b"nonsense").status_code == 400
    assert http.post("/v1.0/$batch", json={"requests": items * 2}).status_code == 400
    assert http.get("/v1.0/$batch").status_code == 405


def test_limits_are_switched_on_and_read_off_the_meter(running: RunningSimulator, http: httpx.Client) -> None:
    assert http.put("/_sim/throttle", json={"enforced": True, "factor": 0.002}).status_code == 200

    statuses = [http.get("/v1.0/users").status_code for _ in range(6)]
    shown = http.get("/_sim/tenants/0/meter?seconds=30").json()
    http.put("/_sim/throttle", json={"enforced": False})

    assert statuses == [200] * 5 + [429]
    identity = shown["identity"]
    assert (identity["limit"], identity["units"], identity["throttled"], identity["peak_units"]) == (10, 10, 1, 10)
    assert (identity["peak_demand"], identity["span"]) == (12, 30)
    assert shown["application"]["requests"] == 6
    assert running.simulator.meter(1)[Bucket.IDENTITY].requests == 0
    assert http.get("/v1.0/users").status_code == 200
    assert http.get("/_sim/tenants/0/meter?seconds=1000").status_code == 400
    assert http.get("/_sim/tenants/7/meter").status_code == 404
    assert http.put("/_sim/throttle", json={"enforced": True, "factor": 2}).status_code == 400


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certified(private_key: rsa.RSAPrivateKey) -> tuple[str, dict[str, str]]:
    """A fresh certificate in PEM and what msal wants to know of it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(private_key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    key = private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return pem, {"private_key": key, "public_certificate": pem}


def sign_in(running: RunningSimulator, credential: object, **changes: str) -> dict[str, object]:
    credentials = running.credentials(0)
    application = msal.ConfidentialClientApplication(
        changes.get("client_id", credentials.client_id),
        client_credential=credential,
        authority=f"https://localhost:{running.port}/{credentials.tenant_id}",
        instance_discovery=False,
        verify=str(running.ca_path),
    )
    with closing(application.http_client):
        answer: dict[str, object] = application.acquire_token_for_client([SCOPE])
    return answer


@pytest.fixture
def plain_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)  # requests prefers these to the ``verify`` it is given


@pytest.mark.usefixtures("plain_trust")
@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA1()])  # noqa: S303 - msal's older thumbprint
def test_msal_signs_in_with_a_registered_certificate_only(
    running: RunningSimulator, http: httpx.Client, private_key: rsa.RSAPrivateKey, algorithm: hashes.HashAlgorithm
) -> None:
    pem, credential = certified(private_key)
    if algorithm.name == "sha1":
        thumbprint = x509.load_pem_x509_certificate(pem.encode()).fingerprint(algorithm).hex()
        credential = {"private_key": credential["private_key"], "thumbprint": thumbprint}

    stranger = sign_in(running, credential)
    registered = http.post("/_sim/tenants/0/certificate", json={"pem": pem})
    friend = sign_in(running, credential)

    assert (stranger["error"], stranger["error_codes"]) == ("invalid_client", [700027])
    assert registered.status_code == 200
    answer = http.get("/v1.0/organization", headers={"Authorization": f"Bearer {friend['access_token']}"})
    assert [body["id"] for body in answer.json()["value"]] == [running.credentials(0).tenant_id]
    assert http.post("/_sim/tenants/0/certificate", json={"pem": "nonsense"}).status_code == 400


@pytest.mark.usefixtures("plain_trust")
def test_a_disabled_application_gets_no_token_and_an_enabled_one_does(
    running: RunningSimulator, http: httpx.Client
) -> None:
    secret = running.credentials(0).client_secret

    http.put("/_sim/tenants/0/application", json={"enabled": False})
    refused = sign_in(running, secret)
    http.put("/_sim/tenants/0/application", json={"enabled": True})

    assert (refused["error"], refused["error_codes"]) == ("unauthorized_client", [7000112])
    assert "access_token" in sign_in(running, secret)


def test_signing_in_fails_by_order_only_when_it_is_named(running: RunningSimulator, http: httpx.Client) -> None:
    credentials = running.credentials(0)
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
        "scope": SCOPE,
    }
    address = f"/{credentials.tenant_id}/oauth2/v2.0/token"
    order(http, kind="503")
    order(http, kind="503", path_contains="/oauth2", retry_after=3)
    order(http, kind="cut", path_contains="/oauth2")

    failed = http.post(address, data=form)

    assert (failed.status_code, failed.headers["Retry-After"]) == (503, "3")
    assert (failed.json()["error"], failed.json()["error_codes"]) == ("temporarily_unavailable", [90033])
    with pytest.raises(httpx.TransportError):
        http.post(address, data=form)
    assert http.post(address, data=form).status_code == 200


def test_a_tenant_that_is_gone_is_unknown_to_entra_and_graph_until_it_is_back(
    running: RunningSimulator, http: httpx.Client
) -> None:
    tenant_id = running.credentials(0).tenant_id

    http.put("/_sim/tenants/0/application", json={"tenant_exists": False})
    token, graph = http.post(f"/{tenant_id}/oauth2/v2.0/token"), http.get(USERS)
    http.put("/_sim/tenants/0/application", json={"tenant_exists": True})

    assert (token.status_code, token.json()["error_codes"]) == (400, [90002])
    assert (graph.status_code, graph.json()["error"]["code"]) == (401, "Authorization_IdentityNotFound")
    assert http.get(USERS).status_code == 200
