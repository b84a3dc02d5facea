import { preview } from "vite";
import { startWorld } from "./world.mjs";

/** Starts the server, fills it, and serves the built page in front of it. */
export default async function setup(): Promise<() => Promise<void>> {
  const world = await startWorld();
  process.env.CHARTER_SERVER = world.server;
  process.env.CHARTER_DOOR_TOKENS = JSON.stringify(world.tokens);
  delete process.env.CHARTER_TOKEN;
  const door = await preview({ preview: { host: "127.0.0.1", port: 0 }, logLevel: "warn" });
  process.env.PAGE_URL = door.resolvedUrls?.local[0]?.replace(/\/$/, "");
  return async () => {
    await door.close();
    await world.stop();
  };
}
