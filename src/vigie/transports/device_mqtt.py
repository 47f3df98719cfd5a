"""A device's MQTT: one connection to a broker, each message sent until the broker has it in its keeping."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vigie.protocols.mqtt import Acknowledged, Packet, connect, disconnect, publish
from vigie.transports.mqtt import KEEP_ALIVE_S, Address, Wire

_NUMBERS = 65_535


class MqttSender:
    """The way of one device or gateway to a broker."""

    def __init__(self, wire: Wire, in_flight_max: int) -> None:
        self._wire = wire
        self._room = asyncio.Semaphore(in_flight_max)
        self._answers: dict[int, asyncio.Future[int]] = {}
        self._last = 0

    @staticmethod
    async def open(address: Address, name: str, user: str = "", password: str = "") -> MqttSender:
        """Connects. Raises OSError, of which `Refused` is one."""
        sender: list[MqttSender] = []

        def heard(packets: Sequence[Packet]) -> None:
            if sender:
                sender[0]._heard(packets)

        wire, greeting = await Wire.open(address, connect(name, user, password, keep_alive_s=KEEP_ALIVE_S), heard)
        sender.append(MqttSender(wire, min(greeting.receive_max, _NUMBERS - 1)))
        wire.ended.add_done_callback(lambda ended: sender[0]._end(ended.result()))
        return sender[0]

    async def publish(self, topic: str, payload: bytes) -> int:
        """Sends at QoS 1; returns the broker's reason when it has taken the message (below 0x80) or refused it.

        Raises ConnectionError when the connection ends before: whether the broker has it is then not known.
        """
        async with self._room:
            if self._wire.ended.done():
                raise ConnectionResetError(self._wire.ended.result())
            number = self._next()
            answer = self._answers[number] = asyncio.get_running_loop().create_future()
            self._wire.send(publish(topic, payload, number))
            return await answer

    async def close(self) -> None:
        """Says goodbye."""
        self._wire.send(disconnect())
        self._wire.close("done")

    def _next(self) -> int:
        while True:
            self._last = self._last % _NUMBERS + 1
            if self._last not in self._answers:
                return self._last

    def _heard(self, packets: Sequence[Packet]) -> None:
        for packet in packets:
            if isinstance(packet, Acknowledged):
                answer = self._answers.pop(packet.number, None)
                if answer is not None and not answer.done():
                    answer.set_result(packet.reason)

    def _end(self, why: str) -> None:
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError(why))
