/** What a job of the queue says: one shard of one report. */

/** Plain data, so that a worker on another machine can read it; all paths are the submitting machine's. */
export interface ShardJob {
  /** Folder of the report. */
  readonly report: string;
  /** The bundle's file. */
  readonly bundle: string;
  /** Where the images' paths start. */
  readonly images: string;
  /** Of the report's plan (`planKey`): another report that has since taken its place is not written into. */
  readonly plan: string;
  readonly shard: number;
  /** Folders that all machines share, by name, as the submitting machine sees them. */
  readonly roots: Readonly<Record<string, string>>;
}

/** The queue on the server; all reports share it, so that a worker serves whichever has work. */
export const QUEUE_NAME = "aspectlens";

/** One job a shard, however often it is submitted. */
export function jobId({ plan, shard }: Pick<ShardJob, "plan" | "shard">): string {
  return `shard-${plan.slice(0, 32)}-${shard}`;
}
