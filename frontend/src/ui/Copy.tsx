import { useState } from "react";
import { announce } from "./announce";
import { Button } from "./Button";
import { Icon } from "./Icon";

/** Copies a text and says so. `label`: a button with a word instead of a sign. */
export function Copy({ text, what, label }: { text: string; what: string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      announce(`Copied the ${what}`);
      setDone(true);
      setTimeout(() => setDone(false), 2_000);
    } catch {
      announce(`This browser did not allow copying: select the ${what} and copy it`);
    }
  };
  if (label) {
    return (
      <Button icon={done ? "check" : "copy"} onClick={copy}>
        {done ? "Copied" : label}
      </Button>
    );
  }
  return (
    <button type="button" className="copy" aria-label={`Copy the ${what}`} title={`Copy the ${what}`} onClick={copy}>
      <Icon name={done ? "check" : "copy"} size={14} />
    </button>
  );
}

/** A text to copy, in full. */
export function Snippet({ text, what }: { text: string; what: string }) {
  return (
    <div className="snippet">
      {/* biome-ignore lint/a11y: it scrolls, also by keyboard; a fieldset is for fields */}
      <pre tabIndex={0} role="group" aria-label={what}>
        <code>{text}</code>
      </pre>
      <Copy text={text} what={what} />
    </div>
  );
}
