declare module "*.sh" {
  const text: string;
  export = text;
}
declare module "*.hook" {
  const text: string;
  export = text;
}
