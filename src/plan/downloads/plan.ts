/** A file that is downloaded to memory; a tmpfs with it is the medium. */
export interface DownloadPlan {
  /** In the order to try. */
  readonly urls: readonly string[];
  /** Its place on the medium. */
  readonly path: string;
  readonly proxy: string | null;
}
