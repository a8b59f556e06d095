// keypad.js — the keys of a telephone, for what answers with a menu ("press one for repairs"). They open below the card's buttons,
// so that the call stays in sight, and close with the call; their place is then kept until somebody presses something, so that
// nothing moves by itself. While they are open, digits can be typed anywhere in the card; Escape closes them.

const KEYS = [..."123456789*0#"], NAMES = { "*": "star", "#": "hash" }, SHOWN_MAX = 16;

const TOGGLE = '<button type="button" class="plain" data-do="keypad" data-in="calling live" aria-expanded="false" aria-controls="keypad">Keypad</button>';
const PANEL = `
<div class="keypad" id="keypad" role="group" aria-label="Keypad" hidden>
  <output aria-label="Digits sent" aria-atomic="false"></output>
  ${KEYS.map((key) => `<button type="button" class="plain" data-key="${key}"${NAMES[key] ? ` aria-label="${NAMES[key]}"` : ""}>${key}</button>`).join("\n  ")}
</div>`;

/** Puts the keypad's button before a button of a card, and its keys below them. send: sends one digit. Gives a function that says
 * whether there is somebody to send to, and if not, whether the place of open keys is kept. */
export function keypad(before, send)
{
    before.insertAdjacentHTML("beforebegin", TOGGLE);
    before.parentElement.insertAdjacentHTML("afterend", PANEL);
    const toggle = before.previousElementSibling, panel = before.parentElement.nextElementSibling, sent = panel.querySelector("output");

    function open(isOpen)
    {
        panel.hidden = !isOpen;
        panel.classList.remove("gone");
        toggle.setAttribute("aria-expanded", String(isOpen));
        sent.replaceChildren();
        delete sent.dataset.failed;
    }

    async function press(key)
    {
        const button = panel.querySelector(`[data-key="${key}"]`);
        button.classList.add("is-down");
        setTimeout(() => button.classList.remove("is-down"), 150);
        try {
            await send(key);
            if (sent.dataset.failed) sent.replaceChildren();
            delete sent.dataset.failed;
            sent.append(key); // alone, so that it alone is read out
            if (sent.childNodes.length > SHOWN_MAX) sent.firstChild.remove();
        } catch {
            sent.dataset.failed = "yes";
            sent.textContent = `${key} was not sent. Try again.`;
        }
    }

    toggle.addEventListener("click", () => {
        open(panel.hidden);
        if (!panel.hidden) panel.scrollIntoView({ block: "nearest" });
    });
    panel.addEventListener("click", ({ target }) => { if (target.dataset.key) void press(target.dataset.key); });
    before.closest(".call").addEventListener("keydown", ({ key, altKey, ctrlKey, metaKey }) => {
        if (panel.hidden || altKey || ctrlKey || metaKey) return;
        if (KEYS.includes(key)) void press(key);
        if (key !== "Escape") return;
        if (panel.contains(document.activeElement)) toggle.focus();
        open(false);
    });
    return (isThere, keepsPlace) => {
        const hadPlace = !panel.hidden || panel.classList.contains("gone");
        toggle.disabled = !isThere;
        if (isThere) return;
        open(false);
        panel.classList.toggle("gone", keepsPlace && hadPlace);
    };
}
