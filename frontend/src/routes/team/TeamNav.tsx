import { PartsNav } from "../../ui/PartsNav";

export function TeamNav() {
  return (
    <PartsNav
      label="Pages for teams"
      pages={[
        { to: "/team", label: "Board" },
        { to: "/team/change", label: "Change preview" },
        { to: "/team/majors", label: "Majors that retire" },
        { to: "/team/gate", label: "Gate" },
      ]}
    />
  );
}
