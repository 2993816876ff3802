/** Returns the texts of a list whose items are texts, or false or null for those that do not apply. */
export function onlyTexts(...items: readonly (string | false | null | undefined)[]): readonly string[] {
  return items.filter((item) => typeof item === "string");
}
