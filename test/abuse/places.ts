/** Where a case of abuse lives. */

export interface Place {
  /** The tiny world in which commands run; never changed. */
  readonly world: string;
  /** An empty folder of the case's own. */
  readonly folder: string;
}
