import { useEffect, useState } from "react";

let say = (_text: string) => {};

/** Tells a short message to people who do not see that something happened: "copied", "12 products". */
export function announce(text: string): void {
  say(text);
}

/** The one live region of the page, in the shell. */
export function Announcer() {
  const [text, setText] = useState("");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    say = (text) => {
      setText("");
      clearTimeout(timer);
      timer = setTimeout(() => setText(text), 50);
    };
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}
