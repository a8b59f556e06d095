// index.js — the button in the shop's page. Whoever visits has no account: the token of the button reaches the desk, and
// nothing else, so it may stand in a page that everybody can read. The package is loaded when somebody wants to call.
import { ask } from "./ask.js";
import { callCard } from "./call_card.js";

const DESK = "Kestrel Cycles", dock = document.getElementById("dock"), buttons = [...document.querySelectorAll("[data-call]")];
let caller;

const card = callCard(document.getElementById("call"), {
    idle: [DESK, ""],
    closed() {
        dock.hidden = true;
        caller?.focus();
    },
    freed: () => buttons.forEach((button) => button.removeAttribute("aria-disabled")),
});

async function callUs(signal)
{
    const { embeddableCall } = await import("/coatcheck/index.js");
    const { server, to, embedToken } = await ask("GET", "/button");
    return embeddableCall({ to, embedToken, host: server, signal });
}

for (const button of buttons)
    button.addEventListener("click", () => {
        if (!card.isFree) return void dock.querySelector("button:not([hidden])")?.focus();
        caller = button;
        dock.hidden = false;
        for (const one of buttons) one.setAttribute("aria-disabled", "true");
        void card.dials(DESK, callUs);
    });
addEventListener("pagehide", () => void card.call?.hangup().catch(() => {})); // whoever leaves has hung up
