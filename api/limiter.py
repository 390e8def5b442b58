"""Holds the limits against each request: by address and network before its body is read, by account once a token has verified."""

import math
from collections.abc import Sequence
from typing import NoReturn

from adapters.limits.counters import Counter, Counters, Refusal
from adapters.limits.policy import Kind, Limits
from api import metrics
from api.exchange import Exchange
from api.gates import Claimable, Gate
from api.refusals import RateLimited
from commands.ports import AccessClaims
from domain.session import MINOS


class Limiter:
    """Every gate by the name of its operation."""

    def __init__(self, limits: Limits, counters: Counters) -> None:
        self.limits = limits
        self._counters = counters
        self._rules = {name: counters.rules(each) for name, each in limits.classes.items()}
        self._gates: dict[str | None, Gate] = {}

    def gate(self, operation: str | None) -> Gate:
        """Give the gate of an operation; None is an address where there is nothing."""
        gate = self._gates.get(operation)
        if gate is None:
            gate = self._gates[operation] = Gate(operation, self._rules[self.limits.of(operation).name])
        return gate

    def enter(self, gate: Gate, exchange: Exchange) -> None:
        """Count a request under where it comes from. Raises RateLimited."""
        exchange.gate = gate
        counters: list[Counter] = []
        if gate.address is not None:
            exchange.counter = self._counters.met(gate.address, exchange.source)
            counters.append(exchange.counter)
        if gate.network is not None and exchange.network is not None:
            counters.append(self._counters.met(gate.network, exchange.network))
        if counters:
            self._take(counters, gate, exchange)

    def account(self, exchange: Exchange, account: str) -> None:
        """Count a request under a caller who proved to be that account. Raises RateLimited."""
        gate = exchange.gate
        if gate is not None and gate.account is not None:
            exchange.counter = self._counters.met(gate.account, account)
            self._take((exchange.counter,), gate, exchange)

    def token(self, exchange: Exchange, claims: AccessClaims) -> None:
        """Count a request under whose verified token it brings, and under its session where that counts. Raises RateLimited.

        Services hold tokens of people: what they ask with those uses up nothing of what a person has at Minos.
        """
        self._session(exchange, claims)
        self.account(exchange, _at(claims, claims.sub))

    def unproved(self, exchange: Exchange, claims: AccessClaims) -> None:
        """Count a request that asks for a proof, before that is looked at. Raises RateLimited.

        Under its session alone, as often as its account may at most: a copied token without a proof uses up nothing of what its owner
        does with one. Whose account is used up is refused here already; it is counted once the proof is there (`proven`).
        """
        self._session(exchange, claims)
        self.claimed(exchange, Kind.ACCOUNT, _with_proof(claims))
        self.account(exchange, f"{claims.sub}/{claims.sid}")

    def proven(self, exchange: Exchange, claims: AccessClaims) -> None:
        """Count a request whose proof is there under its account, apart from what needs none. Raises RateLimited."""
        self.account(exchange, _with_proof(claims))

    def _session(self, exchange: Exchange, claims: AccessClaims) -> None:
        gate = exchange.gate
        if gate is not None and gate.session is not None and claims.sid:
            exchange.counter = self._counters.met(gate.session, _at(claims, claims.sid))
            self._take((exchange.counter,), gate, exchange)

    def claimed(self, exchange: Exchange, kind: Claimable, whose: str) -> None:
        """Refuse what says that it is somebody whose limit is used up. Whoever merely says so uses nothing. Raises RateLimited."""
        gate = exchange.gate
        rule = None if gate is None else gate.claimable(kind)
        if gate is None or rule is None or (counter := rule.counters.get(whose)) is None:
            return
        if wait := counter.wait(self._counters.clock()):
            self._refuse(Refusal(counter, wait), gate, exchange)

    def proved(self, exchange: Exchange, kind: Claimable, whose: str) -> None:
        """Count what was `claimed` and turned out to be so."""
        rule = None if exchange.gate is None else exchange.gate.claimable(kind)
        if rule is not None:
            exchange.counter = self._counters.met(rule, whose)
            self._counters.count(exchange.counter, self._counters.clock())

    def name(self, exchange: Exchange, name: str) -> None:
        """Count a try at a login name from the caller's network, whether or not anybody has the name. Raises RateLimited."""
        gate = exchange.gate
        if gate is not None and gate.name is not None:
            self._take((self._counters.met(gate.name, f"{exchange.network} {name}"),), gate, exchange)

    def _take(self, counters: Sequence[Counter], gate: Gate, exchange: Exchange) -> None:
        refusal = self._counters.take(counters, self._counters.clock())
        if refusal is not None:
            self._refuse(refusal, gate, exchange)

    def _refuse(self, refusal: Refusal, gate: Gate, exchange: Exchange) -> NoReturn:
        metrics.limited(gate.operation, refusal.counter.rule.kind).inc()
        exchange.counter, exchange.refused_for = refusal.counter, max(1, math.ceil(refusal.wait))
        raise RateLimited(exchange.refused_for)

    def fields(self, exchange: Exchange) -> Sequence[tuple[bytes, bytes]]:
        """Tell the caller what is left to them (draft-ietf-httpapi-ratelimit-headers-11)."""
        gate, counter = exchange.gate, exchange.counter
        if gate is None or counter is None:
            return ()
        if exchange.refused_for:
            return ((b"ratelimit", counter.told_refused(exchange.refused_for)), (b"ratelimit-policy", counter.rule.policy()))
        return ((b"ratelimit", counter.told(self._counters.clock())), (b"ratelimit-policy", gate.policy))


def _with_proof(claims: AccessClaims) -> str:
    return f"{claims.sub}/proven"


def _at(claims: AccessClaims, whose: str) -> str:
    return whose if claims.aud == MINOS else f"{whose} {claims.aud}"
