/** A file that is downloaded to memory; a tmpfs with it is the medium. */
export interface DownloadPlan {
  /** In the order to try. */
  readonly urls: readonly string[];
  /** Its place on the medium. */
  readonly path: string;
  readonly proxy: string | null;
}

/** Where more parameters come from. */
export interface ConfigPlan {
  /** With names of the machine in it: "${mac}". */
  readonly url: string;
  readonly proxy: string | null;
}

/** The part of a plan that is not complete before the network is up. */
export interface FetchedParts {
  /** rd.config=; null: nothing is added to the plan. */
  readonly config: ConfigPlan | null;
}
