import { Link, type LinkProps } from "@tanstack/react-router";

/** Leads between the pages of one part of the site. */
export function PartsNav({
  label,
  pages,
}: {
  label: string;
  pages: readonly { to: LinkProps["to"]; label: string }[];
}) {
  return (
    <nav className="parts-nav" aria-label={label}>
      {pages.map(({ to, label }) => (
        <Link key={to} to={to} activeOptions={{ exact: true, includeSearch: false }}>
          {label}
        </Link>
      ))}
    </nav>
  );
}
