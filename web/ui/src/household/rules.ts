/**
 * What each version of a manifest keeps by itself, whatever came before it: the rules of docs/format.md
 * section 5, in the order in which `pipeline/household/rules.py` looks at them.
 */

import { isPostQuantum } from "../crypto/recipient.js";
import { BadRecipient } from "../errors.js";
import { NotAllowed } from "./errors.js";
import type { Group, Manifest, Member } from "./model.js";

const HOUSEHOLD_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;
const CAMERA_NAME = /^[a-z0-9][a-z0-9_-]{0,47}$/;
const NO_GROUPS = new Set(["manifest", "heads", "days"]);
const NO_CAMERAS = new Set(["keys", "holds", "store", "index", "lock"]);

/** Returns if the manifest keeps the rules. Throws NotAllowed, with the first that is broken. */
export async function checkRules(manifest: Manifest): Promise<void> {
  refuse((manifest.version === 1) !== (manifest.previous === ""), "only version 1 comes after none");
  inOrder("members", manifest.members.map((one) => one.name));
  inOrder("groups", manifest.groups.map((one) => one.name));
  inOrder("devices", manifest.devices.map((one) => `${one.device} ${padded(one.fromMs)} ${one.dayKey}`));
  named(manifest.signedBy, HOUSEHOLD_NAME);
  manifest.groups.forEach(checkGroup);
  for (const member of manifest.members) checkMember(manifest, member);
  checkAcross(manifest);
  await checkRecipients(manifest);
}

/** All recipients of a manifest: of members and of generations. */
export function recipientsOf(manifest: Manifest): string[] {
  const generations = manifest.groups.flatMap((group) => group.generations);
  return [...manifest.members, ...generations].map((one) => one.recipient);
}

function checkGroup(group: Group): void {
  named(group.name, HOUSEHOLD_NAME, NO_GROUPS);
  inOrder(`cameras of ${group.name}`, group.cameras);
  for (const camera of group.cameras) named(camera, CAMERA_NAME, NO_CAMERAS);
  inOrder(`generations of ${group.name}`, group.generations.map((one) => padded(one.number)));
  refuse(group.generations.length === 0, `the group ${group.name} has no generation`);
  const goesBack = group.generations.some((one, at) => one.fromMs < (group.generations[at - 1]?.fromMs ?? 0));
  refuse(goesBack, `a later generation of ${group.name} begins before an earlier one`);
}

function checkMember(manifest: Manifest, member: Member): void {
  named(member.name, HOUSEHOLD_NAME);
  inOrder(`groups of ${member.name}`, member.groups);
  const unknown = member.groups.find((name) => !manifest.groups.some((one) => one.name === name));
  refuse(unknown !== undefined, `${member.name} is in a group which there is not`);
  refuse(member.groups.length === 0, `${member.name} is in no group`);
  const isOwner = member.role === "owner";
  refuse(isOwner && member.memberKey === "", `${member.name} is an owner without a member key`);
  const isInAll = member.groups.length === manifest.groups.length;
  refuse(isOwner && !isInAll, `${member.name} is an owner and not in every group`);
}

function checkAcross(manifest: Manifest): void {
  refuse(!manifest.members.some((one) => one.role === "owner"), "the household has no owner");
  const hasDefault = manifest.groups.some((one) => one.name === manifest.defaultGroup);
  refuse(!hasDefault, "the default group is none of the groups");
  once("camera", manifest.groups.flatMap((group) => group.cameras));
  once("member key", manifest.members.map((one) => one.memberKey).filter((key) => key !== ""));
  once("day key", manifest.devices.map((one) => one.dayKey));
}

async function checkRecipients(manifest: Manifest): Promise<void> {
  const recipients = recipientsOf(manifest);
  once("recipient", recipients);
  for (const recipient of recipients) {
    const isOfTheKind = (await kindOf(recipient)) === manifest.postQuantum;
    refuse(!isOfTheKind, "classic and post-quantum recipients are never mixed");
  }
}

async function kindOf(recipient: string): Promise<boolean> {
  try {
    return await isPostQuantum(recipient);
  } catch (fault) {
    if (fault instanceof BadRecipient) throw new NotAllowed("a recipient is none that can be sealed to");
    throw fault;
  }
}

function named(name: string, pattern: RegExp, reserved?: ReadonlySet<string>): void {
  const isName = pattern.test(name) && reserved?.has(name) !== true;
  refuse(!isName, `"${name.slice(0, 40)}" cannot be a name`);
}

/** Texts of names are ASCII where this matters: others are refused by their spelling. */
function inOrder(what: string, values: readonly string[]): void {
  const isOut = values.some((value, at) => at > 0 && value <= (values[at - 1] ?? ""));
  refuse(isOut, `the ${what} are out of order, or one stands there twice`);
}

function once(what: string, values: readonly string[]): void {
  refuse(new Set(values).size !== values.length, `a ${what} stands there twice`);
}

function padded(value: number): string {
  return String(value).padStart(16, "0");
}

function refuse(isBroken: boolean, why: string): void {
  if (isBroken) throw new NotAllowed(why);
}
