// ageing.js — the control that lets time pass: makes what the test project has issued older, and shows what that does.
import { $, say, spell } from "./dom.js";

const MINUTE_S = 60, HOUR_S = 3600;
// What a person would try: around the lives that tokens have. Each with its short and its spoken form.
const STEPS = [
    [MINUTE_S, "1 min", "1 minute"], [5 * MINUTE_S, "5 min", "5 minutes"], [15 * MINUTE_S, "15 min", "15 minutes"],
    [30 * MINUTE_S, "30 min", "30 minutes"], [HOUR_S, "1 h", "1 hour"], [1.5 * HOUR_S, "1 h 30", "1 hour 30 minutes"],
    [2 * HOUR_S, "2 h", "2 hours"], [3 * HOUR_S, "3 h", "3 hours"], [6 * HOUR_S, "6 h", "6 hours"], [12 * HOUR_S, "12 h", "12 hours"],
    [18 * HOUR_S, "18 h", "18 hours"], [24 * HOUR_S, "24 h", "24 hours"], [25 * HOUR_S, "25 h", "25 hours"],
];
const slider = $("age-by");
const chosen = () => STEPS[Number(slider.value)];

/** The chosen step as the command line takes it: "90m", "6h". */
export function chosenStep()
{
    const [by_s] = chosen();
    return by_s % HOUR_S ? `${by_s / MINUTE_S}m` : `${by_s / HOUR_S}h`;
}

const life = (left_s) => left_s > 0 ? `${spell(left_s)} left` : "ended";
const older = (seconds) => seconds ? `${spell(seconds)} older` : "not aged";

/** What the table shows; token and session: seconds that are left, null if there is none. */
export function showAgeing({ token, session, project })
{
    const [by_s] = chosen();
    const row = (id, left_s, none) => {
        $(`age-${id}`).textContent = left_s === null ? none : life(left_s);
        $(`age-${id}-then`).textContent = left_s === null ? "–" : life(left_s - by_s);
    };
    row("token", token, "none yet");
    row("session", session, "none");
    $("age-project").textContent = older(project);
    $("age-project-then").textContent = older(project + by_s);
}

/** age(by_s) asks the server and resolves to the project's whole age in seconds. */
export function prepareAgeing(age, onChange)
{
    const choose = () => {
        const [, short, spoken] = chosen();
        slider.setAttribute("aria-valuetext", spoken);
        $("age").querySelector("button").textContent = `Age by ${short}`;
        $("age-preview").textContent = short;
        onChange();
    };
    slider.max = String(STEPS.length - 1);
    slider.value = String(STEPS.findIndex(([seconds]) => seconds === 2 * HOUR_S));
    slider.addEventListener("input", choose);
    $("age").addEventListener("submit", async (event) => {
        event.preventDefault();
        const [by_s, , spoken] = chosen();
        try {
            const all_s = await age(by_s);
            say("age-status", `Done: ${spoken} older, ${spell(all_s)} in all.`, "good");
        } catch (error) {
            say("age-status", error.isOurs ? error.message : "The server does not answer. Start coatcheck dev again and reload this page.", "bad");
        }
        onChange();
    });
    choose();
}
