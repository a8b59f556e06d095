// askwell.js — an interview in the corner of somebody's page: consent, one question after the other, thanks.
//
// All that it knows of credentials is `createParticipant`: whom the page's backend names takes part under that name, anybody else
// without one. No token passes through this file. What was typed stays on the page until the server has it.
import { createParticipant, isRecoverable } from "/coatcheck/participant.js";

function make(tag, attributes = {}, ...children)
{
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    element.append(...children);
    return element;
}

// What a person can do about it, by the error's code. isKept: something was written.
function wordsFor(error, isKept)
{
    if (error.code === "provider_failed" && error.cause?.status === 401)
        return ["You are signed out", "Somebody signed you out in another window. Reload the page to go on."];
    switch (error.code) {
    case "network":
    case "timeout":
    case "restarting":
    case "try_again":
        return ["No answer from the interview", `Your connection or our server is away for the moment.${isKept ? " What you wrote is still here." : ""}`];
    case "provider_failed":
    case "provider_timeout":
        return ["The museum’s site does not answer", "We could not learn from it who you are. Please try again in a moment."];
    case "rate_limited":
        return ["Too many at once", "Please wait a minute, then try again."];
    case "credential_invalid":
        return ["Somebody else is signed in now", "Reload the page to answer under that name."];
    case "not_found":
        return ["This interview is over", "It was closed, or too long ago. You can begin it again; what you wrote is still here."];
    default:
        return ["That did not work", "Please try again. If it stays like this, tell the museum the number below."];
    }
}

/** Puts the interview into `root`. remember, recall: where the page keeps which interview was this participant's. */
export function openAskwell(root, { serverUrl, publishableKey, studyId, participantName, bootstrapTokenProvider, recall, remember })
{
    let participant, study, interview;
    const written = []; // by question

    const say = make("p", { class: "unseen", role: "status" });
    const bar = make("progress", { max: "1", value: "0", "aria-label": "Progress", class: "askwell-progress" });
    const stage = make("div", { class: "askwell-stage" });
    const who = make("p", { class: "askwell-who" }, participantName ? `You answer as ${participantName}` : "You answer without a name");
    const close = make("button", { type: "button", class: "askwell-close", "aria-label": "Close the interview", onclick: () => toggle(false) }, "×");
    const panel = make("div", { class: "askwell-panel", id: "askwell-panel", role: "dialog", "aria-labelledby": "askwell-name", hidden: true },
        make("div", { class: "askwell-head" }, make("h2", { id: "askwell-name" }, "Askwell"), close), bar, stage, who);
    const launcher = make("button", { type: "button", class: "askwell-launch", "aria-expanded": "false", "aria-controls": "askwell-panel", onclick: () => toggle(panel.hidden) },
        "How was your visit?");
    root.replaceChildren(launcher, panel, say);
    root.addEventListener("keydown", (event) => { if (event.key === "Escape" && !panel.hidden) toggle(false); });

    function toggle(isOpen)
    {
        panel.hidden = !isOpen;
        launcher.setAttribute("aria-expanded", String(isOpen));
        if (!isOpen) return launcher.focus();
        if (!study) return begin();
        (stage.querySelector("textarea") ?? stage.querySelector("h3"))?.focus();
    }

    // One screen after the other in the same place. Whoever hears the page is told by the focus, on what is new.
    function show(screen, ...children)
    {
        stage.dataset.screen = screen;
        stage.replaceChildren(...children);
        if (!panel.hidden) (stage.querySelector("textarea") ?? stage.querySelector("h3"))?.focus();
    }

    const heading = (text) => make("h3", { tabindex: "-1" }, text);
    const button = (text, onclick, kind = "askwell-main") => make("button", { type: "button", class: kind, onclick }, text);

    // Takes a step that talks to the server. The button keeps its place and the focus while it does; a second press is none.
    async function step(control, body, failed)
    {
        if (control?.getAttribute("aria-disabled") === "true") return;
        control?.setAttribute("aria-disabled", "true");
        const slow = setTimeout(() => { say.textContent = "One moment…"; }, 400);
        try {
            await body();
        } catch (error) {
            failed(error);
        } finally {
            clearTimeout(slow);
            control?.removeAttribute("aria-disabled");
        }
    }

    function showFailure(error, again)
    {
        const [title, text] = wordsFor(error, written.length > 0);
        const number = error.errorId ? make("p", { class: "askwell-small" }, `${error.code}, number ${error.errorId}`) : "";
        const retry = error.code === "not_found" && interview ? button("Begin again", () => { interview = undefined; showConsent(); })
            : isRecoverable(error) ? button("Try again", ({ currentTarget }) => step(currentTarget, again, (next) => showFailure(next, again)))
            : button("Reload the page", () => location.reload());
        show("failed", make("div", { class: "askwell-words" }, heading(title), make("p", {}, text), number), make("div", { class: "askwell-actions" }, retry));
        say.textContent = `${title}. ${text}`;
    }

    function begin()
    {
        show("loading", make("div", { class: "askwell-words" }, heading("Getting the questions…"), make("p", { class: "askwell-pulse", "aria-hidden": "true" })));
        return step(null, load, (error) => showFailure(error, load));
    }

    async function load()
    {
        participant ??= createParticipant({ baseUrl: serverUrl, publishableKey, bootstrapTokenProvider });
        await participant.authenticate({ studyId });
        const found = await participant.study(studyId), kept = await recall().catch(() => null);
        interview = kept ? await participant.interview(kept).catch(unlessGone) : undefined;
        study = found;
        if (interview?.status === "completed") showThanks(true);
        else if (interview?.status === "consented") showQuestion(Math.min(interview.answerCount, study.questions.length - 1), interview.answerCount > 0);
        else showConsent();
    }

    function unlessGone(error)
    {
        if (error.code !== "not_found") throw error;
    }

    function showConsent()
    {
        const count = study.questions.length;
        bar.value = 0;
        const agree = button("I agree, begin", () => step(agree, consent, (error) => showFailure(error, consent)));
        show("consent", make("div", { class: "askwell-words" }, heading(study.title),
            make("p", {}, `${count} questions, about ${count} minutes. Your words go to the museum, which uses them to plan its rooms.`),
            make("p", {}, participantName ? `They are kept with your membership, ${participantName}. You can stop and come back.`
                : "They are kept without your name. If you leave this page before the end, you start anew.")),
        make("div", { class: "askwell-actions" }, agree, button("Not now", decline, "askwell-quiet")));
        say.textContent = "";
    }

    function decline()
    {
        toggle(false);
        say.textContent = "Nothing was sent.";
    }

    async function consent()
    {
        interview ??= await participant.createInterview(studyId);
        await remember(interview.id).catch(() => {}); // then there is no coming back to it, which is no reason to stop
        interview = await participant.consent(interview.id);
        showQuestion(0);
    }

    function showQuestion(index, isBack = false)
    {
        const { questions } = study, isLast = index === questions.length - 1;
        bar.max = questions.length;
        bar.value = index;
        const field = make("textarea", { id: "askwell-answer", rows: "4", maxlength: "4000", "aria-describedby": "askwell-at askwell-wrong" });
        const wrong = make("p", { id: "askwell-wrong", class: "askwell-wrong", role: "alert" });
        const next = make("button", { type: "submit", class: "askwell-main" }, isLast ? "Send" : "Next");
        field.value = written[index] ?? "";
        field.addEventListener("input", () => { written[index] = field.value; field.removeAttribute("aria-invalid"); wrong.textContent = ""; });

        const failed = (error) => {
            if (!isRecoverable(error)) return showFailure(error, send);
            wrong.textContent = `${wordsFor(error, true).join(". ")} Press ${isLast ? "Send" : "Next"} again.`;
        };
        async function send()
        {
            wrong.textContent = "";
            interview = await participant.answer(interview.id, questions[index].id, field.value.trim());
            if (!isLast) return showQuestion(index + 1);
            interview = await participant.complete(interview.id);
            showThanks();
        }

        const form = make("form", { class: "askwell-form", novalidate: true },
            make("div", { class: "askwell-words" },
                make("p", { class: "askwell-small", id: "askwell-at" }, `${isBack ? "Welcome back. " : ""}Question ${index + 1} of ${questions.length}`),
                make("label", { for: "askwell-answer" }, questions[index].text), field, wrong),
            make("div", { class: "askwell-actions" }, next, written[index - 1] === undefined ? "" : button("Back", () => showQuestion(index - 1), "askwell-quiet")));
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            if (field.value.trim()) return step(next, send, failed);
            field.setAttribute("aria-invalid", "true");
            wrong.textContent = "A few words are enough, but not none.";
            field.focus();
        });
        show("question", form);
        say.textContent = "";
    }

    function showThanks(isReturn = false)
    {
        bar.max = bar.value = 1;
        show("thanks", make("div", { class: "askwell-words" }, heading(isReturn ? "You have told us already" : "Thank you, that helps"),
            make("p", {}, isReturn ? `Your answers are with the museum, ${participantName}. There is nothing left to do.`
                : "Your answers have arrived. Somebody on the quay reads every one of them on Tuesdays.")),
        make("div", { class: "askwell-actions" }, button("Close", () => toggle(false))));
        say.textContent = "";
    }
}
