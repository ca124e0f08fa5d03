"""Chains of filters as one graph, a tree: what all begin with is done once, then each goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

Chain = tuple[str, ...]  # steps; `{n}` in one stands for a number that no other step has


def grown(source: str, chains: Mapping[str, Chain], *, split: str, numbers: Iterator[int] | None = None) -> str:
    """The graph that brings `source` through each chain to its label. `split`: the filter that makes two of one.

    `numbers`: of its own labels, where several trees stand in one graph.
    """
    return ";".join(_statements(source, chains, split, count() if numbers is None else numbers))


def numbered(chain: Chain) -> Chain:
    """A chain that stands alone."""
    return _numbered(chain, count())


def _numbered(chain: Chain, numbers: Iterator[int]) -> Chain:
    """With numbers for the labels inside of steps."""
    return tuple(step.replace("{n}", str(next(numbers))) if "{n}" in step else step for step in chain)


def _statements(source: str, chains: Mapping[str, Chain], split: str, numbers: Iterator[int]) -> Iterator[str]:
    """Statements of the tree whose branches part where the chains do."""
    common = _shared(tuple(chains.values()))
    shared = _numbered(common, numbers)
    branches: dict[str, dict[str, Chain]] = {}
    for label, chain in chains.items():
        rest = chain[len(common) :]
        branches.setdefault(rest[0] if rest else f"[{label}]", {})[label] = rest
    if len(branches) == 1:
        yield f"[{source}]{','.join(shared)}[{next(iter(chains))}]"
        return
    ends = [_end(branch, numbers) for branch in branches.values()]
    yield f"[{source}]{','.join((*shared, f'{split}={len(ends)}'))}{''.join(f'[{end}]' for end in ends)}"
    for end, branch in zip(ends, branches.values(), strict=True):
        if end not in branch:
            yield from _statements(end, branch, split, numbers)


def _end(branch: Mapping[str, Chain], numbers: Iterator[int]) -> str:
    """The label at which a branch begins: that of its output when nothing is left to do."""
    label, rest = next(iter(branch.items()))
    return f"t{next(numbers)}" if rest else label


def _shared(chains: Sequence[Chain]) -> Chain:
    shared: list[str] = []
    for steps in zip(*chains, strict=False):
        if len(set(steps)) > 1:
            break
        shared.append(steps[0])
    return tuple(shared)
