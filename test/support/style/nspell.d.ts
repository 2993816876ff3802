// The part of nspell that the style test uses; the package brings no types.
declare module "nspell" {
  interface Speller {
    correct(word: string): boolean;
    suggest(word: string): string[];
    add(word: string): void;
  }
  const nspell: (aff: Buffer, dic: Buffer) => Speller;
  export = nspell;
}
