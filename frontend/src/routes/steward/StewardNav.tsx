import { PartsNav } from "../../ui/PartsNav";

export function StewardNav() {
  return (
    <PartsNav
      label="Pages for stewards"
      pages={[
        { to: "/steward", label: "Grants" },
        { to: "/steward/readers", label: "Who can read" },
        { to: "/steward/records", label: "Records" },
        { to: "/steward/overrides", label: "Overrides" },
        { to: "/steward/rot", label: "Neglected" },
        { to: "/steward/domains", label: "Enforcement" },
      ]}
    />
  );
}
