/** What to make principals for, whatever the engine. */
export interface EnginePlan {
  services: readonly { name: string }[];
  /** Where a service's credential files are. */
  folderOf: (service: string) => string;
  /** How long an engine that does not answer yet is waited for. */
  withinMs: number;
  /** Whether each service gets a new password or token; see `provisionPlatform`. */
  rotate: boolean;
}

export interface EngineReport {
  engine: string;
  /** What an operator should know: what was left out and why, what was taken away. */
  notes: string[];
}
