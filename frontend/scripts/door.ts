// Stands in for the door of `charter` while the page is developed or tried without it: the same protocol, in front of a
// server at `CHARTER_SERVER`. A code of `POST /session` is a token, or a name in `CHARTER_DOOR_TOKENS` (JSON: name ->
// token); `CHARTER_TOKEN` is used while there is no session.
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import type { Connect, Plugin } from "vite";

const security = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
};

export function door(): Plugin {
  return {
    name: "charterhouse-door",
    configureServer({ middlewares }) {
      middlewares.use(answer);
    },
    configurePreviewServer({ middlewares }) {
      middlewares.use((_request, response, next) => {
        for (const [name, value] of Object.entries(security)) response.setHeader(name, value);
        next();
      });
      middlewares.use(answer);
    },
  };
}

const answer: Connect.NextHandleFunction = (request, response, next) => {
  const { pathname } = new URL(request.url ?? "/", "http://page");
  if (pathname === "/session") void session(request, response);
  else if (pathname === "/graphql") void graphql(request, response);
  else next();
};

async function session(request: IncomingMessage, response: ServerResponse) {
  if (request.method === "DELETE") {
    response.writeHead(204, { "set-cookie": "charter_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0" }).end();
    return;
  }
  const { code } = JSON.parse(await body(request)) as { code: string };
  const names = JSON.parse(process.env.CHARTER_DOOR_TOKENS ?? "{}") as Record<string, string>;
  const token = names[code] ?? code;
  const known = await ask({ query: "{ viewer { version } }" }, token).catch(() => undefined);
  if (known?.status !== 200) {
    problem(response, known ? 401 : 502, known ? "the code is not valid" : "the server does not answer");
    return;
  }
  response
    .writeHead(204, { "set-cookie": `charter_session=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=3600` })
    .end();
}

async function graphql(request: IncomingMessage, response: ServerResponse) {
  const persisted = JSON.parse(
    readFileSync(fileURLToPath(new URL("../persisted.json", import.meta.url)), "utf8"),
  ) as Record<string, string>;
  const { documentId, variables } = JSON.parse(await body(request)) as { documentId: string; variables: unknown };
  const query = persisted[documentId];
  if (request.headers["x-charter"] !== "page" || !query) {
    problem(response, query ? 403 : 400, query ? "the header `x-charter` is missing" : "the document is not known");
    return;
  }
  const cookie = /(?:^|; )charter_session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
  const token = cookie ?? process.env.CHARTER_TOKEN;
  if (!token) {
    problem(response, 401, "there is no session");
    return;
  }
  try {
    const found = await ask({ query, variables }, token);
    const headers: Record<string, string> = {};
    for (const name of ["content-type", "x-request-id", "retry-after"]) {
      const value = found.headers.get(name);
      if (value) headers[name] = value;
    }
    response.writeHead(found.status, headers).end(await found.text());
  } catch {
    problem(response, 502, "the server does not answer");
  }
}

function ask(content: unknown, token: string): Promise<Response> {
  return fetch(`${process.env.CHARTER_SERVER ?? "http://127.0.0.1:7070"}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(content),
  });
}

function problem(response: ServerResponse, status: number, detail: string) {
  response.writeHead(status, { "content-type": "application/problem+json" }).end(JSON.stringify({ status, detail }));
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
