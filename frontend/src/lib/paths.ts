/** Where a product is: the domain's path and the product's name. Every link to a route is built here. */
export interface ProductKey {
  domain: { path: string };
  name: string;
}

/** `domain.product`, as commands and the API take it. */
export function addressOf(product: ProductKey): string {
  return `${product.domain.path}.${product.name}`;
}

/** The rest of the path after `/products/`: the domain's names, then the product's. */
export function productSplat(product: ProductKey): string {
  return `${product.domain.path}/${product.name}`;
}

/** The inverse; `undefined` if it names no product. */
export function productOfSplat(splat: string): { domain: string; name: string } | undefined {
  const cut = splat.lastIndexOf("/");
  if (cut <= 0 || cut === splat.length - 1) return undefined;
  return { domain: splat.slice(0, cut), name: splat.slice(cut + 1) };
}

/** A path of this page to go to after sign-in; anything else is `/`. */
export function safeNext(next: string | undefined): string {
  if (!next?.startsWith("/") || /^\/[/\\]/.test(next) || /[\p{Cc}]/u.test(next)) return "/";
  return next;
}
