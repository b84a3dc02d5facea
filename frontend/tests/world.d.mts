export interface RunningWorld {
  server: string;
  tokens: Record<string, string>;
  facts: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: tests know what they ask for
  gql(who: string, query: string, variables?: Record<string, unknown>): Promise<any>;
  stop(): Promise<void>;
}
export function startWorld(): Promise<RunningWorld>;
export const hostile: Record<"title" | "purpose" | "column" | "sentence", string>;
