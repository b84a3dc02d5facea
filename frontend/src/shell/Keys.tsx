import { Dialog } from "../ui/Dialog";
import { activeShortcuts, useSingleKeys } from "./keys";

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

export function keyText(keys: string): string[] {
  return keys
    .split(" ")
    .map((key) =>
      key
        .replace("mod+", isMac ? "⌘ " : "Ctrl ")
        .replace(/(\S)$/, (last) => (keys.startsWith("mod+") ? last.toUpperCase() : last)),
    );
}

export function KeysHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [on, setOn] = useSingleKeys();
  return (
    <Dialog title="Keys" open={open} onClose={onClose}>
      <dl className="keys">
        {activeShortcuts().map(({ keys, label }) => (
          <div key={keys}>
            <dt>
              {keyText(keys).map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input type="checkbox" checked={on} onChange={(event) => setOn(event.currentTarget.checked)} />
        Single keys work (switch them off for speech input)
      </label>
    </Dialog>
  );
}
