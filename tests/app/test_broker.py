"""A broker set up by the command: the devices' own secrets let them in, and nobody else."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.broker import Broker, free_port
from tests.post import make, now_us, reading, running
from tests.test_crash import LAMP_IDS, in_history
from tests.transports.test_mqtt import figure, until
from vigie.cli import main
from vigie.transports.device_mqtt import MqttSender
from vigie.transports.mqtt import Refused


class Desk:
    """An installation, a folder for its broker, and the command."""

    def __init__(self, folder: Path) -> None:
        self.data, self.out, self.port = folder / "post", folder / "broker", free_port()

    def __call__(self, *words: str, code: int = 0, said: str = "") -> Result:
        result = CliRunner().invoke(main, [*words, "--data", str(self.data)], input=said)
        assert result.exit_code == code, result.output
        return result

    def setup(self) -> Result:
        return self("mqtt", "setup", "--out", str(self.out), "--port", str(self.port))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("COLUMNS", "400")
    return Desk(tmp_path)


def test_a_device_gets_in_at_the_broker_with_its_own_secret(desk: Desk, mosquitto: Path) -> None:
    secret = make(desk.data)
    odd = desk("devices", "admit", "a/b").stdout.splitlines()[-1]
    told = desk.setup().stdout
    assert f'mqtt_url = "mqtt://127.0.0.1:{desk.port}"' in told
    assert "vigie mqtt user gateway" in told
    assert "a/b can be no user" in told
    user = ("mqtt", "user", "gateway", "--out", str(desk.out))
    assert "not the secret of a device 'gateway'" in desk(*user, code=1, said="guess\n").stderr
    assert "not the secret" in desk(*user, code=1, said=odd + "\n").stderr
    assert "can be no user" in desk("mqtt", "user", "a/b", "--out", str(desk.out), code=1, said=odd + "\n").stderr
    desk(*user, said=secret + "\n")
    ours = desk.data / "keys" / "mqtt.password"
    assert ours.stat().st_mode & 0o777 == 0o600
    assert secret not in (desk.out / "passwords").read_text()
    assert "vigie mqtt user" not in desk.setup().stdout

    broker = Broker(mosquitto, desk.out, make=False, port=desk.port)
    broker.start()
    try:
        said = {"VIGIE_MQTT_URL": f"mqtt://127.0.0.1:{desk.port}", "VIGIE_MQTT_PASSWORD_FILE": str(ours)}
        with running(desk.data, secret, environment=said) as post:
            until(lambda: figure(post, "vigie_mqtt_connected") == 1)
            assert asyncio.run(_publish(broker, "gateway", secret)) == 0
            until(lambda: figure(post, "vigie_mqtt_messages_total") == 1)
        assert len(in_history(desk.data)) == 1
        desk("devices", "expel", "gateway")
        assert "gateway" in (desk.out / "passwords").read_text()
        desk.setup()
        assert "gateway" not in (desk.out / "passwords").read_text()
        broker.reload()
        with pytest.raises(Refused):
            asyncio.run(_publish(broker, "gateway", secret))
    finally:
        broker.stop()


async def _publish(broker: Broker, user: str, password: str) -> int:
    sender = await MqttSender.open(broker.address, "device", user, password)
    body = json.dumps(reading(LAMP_IDS[0], "power", 4.0, now_us())).encode()
    answer = await sender.publish(f"vigie/v1/{user}/observations", body)
    await sender.close()
    return answer


def test_where_the_broker_has_no_folder_yet_that_is_said(desk: Desk) -> None:
    secret = make(desk.data)
    told = desk("mqtt", "user", "gateway", "--out", str(desk.out), code=1, said=secret + "\n").stderr
    assert "No such file" in told
