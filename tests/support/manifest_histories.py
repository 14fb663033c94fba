"""Random histories of a household, for hypothesis: every step is one that an owner may take.

@given(steps=STEPS)
def test_…(steps): history = play(steps); history[-1].manifest …
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from crypto.identity import X25519Identity
from pipeline.household.document import SignedManifest
from pipeline.household.model import Device, Generation, Group, Manifest, Member, Role
from tests.support.founding import AnIdentity, a_viewer, an_owner, signed

ROOT_MS = 1_793_500_000_000
CAMERAS = ("door", "garden", "hall")


@dataclass
class Play:
    """A household in the making: whose identities there are, and randomness that is the same each time."""

    random: random.Random
    people: dict[str, AnIdentity] = field(default_factory=dict)

    def identity(self) -> X25519Identity:
        return X25519Identity.generate(self.random.randbytes)

    def recipient(self) -> str:
        return str(self.identity().recipient)

    def pick(self, names: Sequence[str]) -> str:
        return self.random.choice(sorted(names))


def join(play: Play, old: Manifest) -> Manifest:
    """Somebody new, as owner or as viewer of some groups."""
    name = f"m{len(play.people)}"
    identity = play.people[name] = play.identity()
    groups = tuple(one.name for one in old.groups)
    if play.random.random() < 0.4:
        member = an_owner(name, identity, groups)
    else:
        member = a_viewer(name, identity, tuple(sorted({play.pick(groups), play.pick(groups)})))
        member = replace(member, member_key=play.random.choice([b"", member.member_key]))
    return replace(old, members=tuple(sorted((*old.members, member), key=lambda one: one.name)))


def leave(play: Play, old: Manifest) -> Manifest:
    """Anybody but the last owner goes, and the groups they were in are rotated."""
    owners = old.owners()
    may_go = [one for one in old.members if one.role is Role.VIEWER or len(owners) > 1]
    if not may_go:
        return old
    gone = play.random.choice(may_go)
    new = replace(old, members=tuple(one for one in old.members if one != gone))
    return replace(
        new, groups=tuple(rotated(play, one) if one.name in gone.groups else one for one in new.groups)
    )


def rotated(play: Play, group: Group) -> Group:
    """With a new generation from now on; what was prepared is dropped."""
    begun = group.generations[: play.random.randint(0, len(group.generations))]
    from_ms = max([ROOT_MS, *(one.from_ms for one in begun)])
    return replace(
        group, generations=(*begun, Generation(group.newest.number + 1, play.recipient(), from_ms))
    )


def rotate(play: Play, old: Manifest) -> Manifest:
    """One group gets a new generation."""
    which = play.pick([one.name for one in old.groups])
    return replace(old, groups=tuple(rotated(play, one) if one.name == which else one for one in old.groups))


def prepare(play: Play, old: Manifest) -> Manifest:
    """Each group gets generations for later."""

    def prepared(group: Group) -> Group:
        last = group.newest
        count = play.random.randint(1, 3)
        more = [
            Generation(last.number + n, play.recipient(), last.from_ms + n * 1000)
            for n in range(1, count + 1)
        ]
        return replace(group, generations=(*group.generations, *more))

    return replace(old, groups=tuple(prepared(one) for one in old.groups))


def new_group(play: Play, old: Manifest) -> Manifest:
    """One group more, which owners are in."""
    name = f"g{len(old.groups)}"
    group = Group(name, (), (Generation(1, play.recipient(), ROOT_MS),))
    groups = tuple(sorted((*old.groups, group), key=lambda one: one.name))

    def with_group(member: Member) -> Member:
        is_owner = member.role is Role.OWNER
        return replace(member, groups=tuple(sorted((*member.groups, name)))) if is_owner else member

    return replace(old, groups=groups, members=tuple(with_group(one) for one in old.members))


def move_camera(play: Play, old: Manifest) -> Manifest:
    """A camera goes to some group."""
    camera, to = play.pick(CAMERAS), play.pick([one.name for one in old.groups])

    def moved(group: Group) -> Group:
        others = {one for one in group.cameras if one != camera}
        return replace(group, cameras=tuple(sorted(others | ({camera} if group.name == to else set()))))

    return replace(old, groups=tuple(moved(one) for one in old.groups))


def new_device(play: Play, old: Manifest) -> Manifest:
    """A device begins a series of day keys."""
    device = Device(play.random.randbytes(16), play.random.randbytes(32), ROOT_MS)
    order = sorted((*old.devices, device), key=lambda one: (one.device, one.from_ms, one.day_key))
    return replace(old, devices=tuple(order))


Step = Callable[[Play, Manifest], Manifest]
STEPS = st.lists(
    st.sampled_from([join, leave, rotate, prepare, new_group, move_camera, new_device]),
    min_size=1,
    max_size=12,
)


def founded(play: Play) -> Manifest:
    """Version 1 of a household of one owner."""
    identity = play.people["m0"] = play.identity()
    group = Group("home", ("door",), (Generation(1, play.recipient(), 0),))
    return Manifest(1, b"", ROOT_MS, "m0", False, "home", (an_owner("m0", identity),), (group,))


def play(steps: Sequence[Step], seed: int) -> tuple[Play, list[SignedManifest]]:
    """Every version, each signed by some owner of the one before."""
    played = Play(random.Random(seed))
    first = founded(played)
    history = [signed(first, played.people["m0"])]
    for step in steps:
        old = history[-1].manifest
        signer = played.pick([one.name for one in old.owners()])
        new = step(played, old)
        following = replace(new, version=old.version + 1, previous=history[-1].digest, signed_by=signer)
        history.append(signed(following, played.people[signer]))
    return played, history
