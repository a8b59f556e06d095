// dom.js — what the parts of the start page share: finding, making, saying, copying.

export const $ = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children)
{
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
}

// Buttons that cannot be used yet keep their place in the tab order and say why when pressed.
export const enable = (button, isOn) => button.setAttribute("aria-disabled", String(!isOn));
export const isEnabled = (button) => button.getAttribute("aria-disabled") !== "true";

export function say(id, text, mood = "")
{
    $(id).textContent = text;
    $(id).dataset.mood = mood;
}

/** 5025 → "1:23:45". */
export function spell(seconds)
{
    const two = (n) => String(n).padStart(2, "0");
    const minutes = Math.floor(seconds / 60);
    return minutes < 60 ? `${minutes}:${two(seconds % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

// As a shell takes it: a quote ends the text, stands escaped, and begins it again.
export const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const typed = (word) => /^[\w./:@%+,=-]+$/.test(word) ? word : quoted(word);

/** A command of Coatcheck as it must be typed in the folder that dev was started in. */
export const commandLine = ({ program = "coatcheck", data }, ...words) =>
    [program, ...words, ...(data ? ["--data", data] : [])].map(typed).join(" ");

export async function copy(button, text)
{
    const isDone = await navigator.clipboard.writeText(text).then(() => true, () => false);
    $("said").textContent = isDone ? "Copied." : "The browser refused to copy. Show the value and copy it by hand.";
    button.classList.add(isDone ? "copied" : "refused");
    setTimeout(() => button.classList.remove("copied", "refused"), 1500);
}

export function copyButton(what, text)
{
    const button = element("button", { type: "button" }, "Copy", element("span", { className: "hidden", textContent: ` ${what}` }));
    button.addEventListener("click", () => copy(button, text()));
    return button;
}
