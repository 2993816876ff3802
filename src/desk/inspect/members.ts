import { BootError } from "../../problems/errors.ts";
import { type DirectoryNode, findNode, resolvePath, splitPath } from "./unpacked-tree.ts";

/**
 * Tells the paths of a tree that are wanted: those that were asked for, what is below them, and the directories above; all
 * where nothing was asked for. Throws BootError where something is not there.
 */
export function chooseMembers(root: DirectoryNode, members: readonly string[]): (path: string) => boolean {
  const chosen = members.map((member) => placeOf(root, member));
  return (path) =>
    chosen.length === 0 ||
    chosen.some((wish) => path === wish || path.startsWith(`${wish}/`) || wish.startsWith(`${path}/`) || wish === "");
}

/** Where a member really lies; the last name itself may be a symbolic link. */
function placeOf(root: DirectoryNode, member: string): string {
  const parts = splitPath(member);
  const name = parts.pop();
  if (name === undefined) return "";
  const parent = resolvePath(root, parts.join("/"));
  const node = parent === null ? null : findNode(root, parent);
  if (parent === null || node?.kind !== "directory" || !node.children.has(name)) {
    throw new BootError(`there is no ${member} in the image`, {
      hint: "levain inspect --list IMAGE shows what is there",
    });
  }
  return `${parent === "/" ? "" : parent}/${name}`;
}
