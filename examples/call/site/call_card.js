// call_card.js — one call as people see it: who, how it stands, how long, how loud, and the buttons. All three pages have one.
//
// The card has a state (data-state: idle, calling, incoming, live, over), which says what is visible; its size is always the
// same, so that a call that comes in moves nothing. What changes is said aloud by its status line.
import { reasonOf, troubleOf } from "./words.js";
import { ring, showLevel } from "./sound.js";

const MARKUP = `
<div role="status" aria-atomic="true"><p class="call-who"></p><p class="call-said"></p></div>
<div class="call-middle">
<span class="call-mark" aria-hidden="true" data-in="idle calling incoming over"><svg viewBox="0 0 64 64" focusable="false"><path d="M10 39v-7c0-3 2-6 5-7 10-5 24-5 34 0 3 1 5 4 5 7v7a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-5c-6-2-12-2-18 0v5a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2z"/></svg></span>
<div class="call-live">
<p class="call-time" role="timer" aria-label="Length of the call" data-in="live">0:00</p>
<div class="call-levels" data-in="live">
  <span>You</span><svg class="level" data-level="own" role="meter" aria-label="How loud you are" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0" viewBox="0 0 100 10" preserveAspectRatio="none"><rect width="0" height="10"/></svg>
  <span>Other side</span><svg class="level" data-level="other" role="meter" aria-label="How loud the other side is" aria-valuemin="0" aria-valuemax="100" aria-valuenow="0" viewBox="0 0 100 10" preserveAspectRatio="none"><rect width="0" height="10"/></svg>
</div>
</div>
</div>
<div class="call-buttons">
  <button type="button" class="go" data-do="answer" data-in="incoming">Answer</button>
  <button type="button" class="stop" data-do="decline" data-in="incoming">Decline</button>
  <button type="button" class="plain" data-do="mute" data-in="calling live" aria-pressed="false">Mute</button>
  <button type="button" class="stop" data-do="hangup" data-in="calling live">Hang up</button>
  <button type="button" class="plain" data-do="close" data-in="over">Done</button>
</div>
<audio autoplay></audio>`;

const lengthOf = (ms) => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}`;

/** idle: [who, said] of the card while there is no call. closed: called when it goes back to that; freed: whenever a call is over.
 * keypad: as in keypad.js, for a card that has one. */
export function callCard(root, { idle, closed = () => {}, freed = () => {}, keypad })
{
    root.innerHTML = MARKUP;
    root.tabIndex = -1;
    const find = (selector) => root.querySelector(selector);
    const button = (name) => find(`[data-do=${name}]`);
    let call, name = "", cancel = () => {}, isOurs = false, endings = [];
    const hasKeys = keypad?.(button("hangup"), (digit) => call.sendDigits(digit));
    const declined = new WeakSet(); // these ring on until the server has heard of it

    function show(state, said, who = name)
    {
        const hadFocus = root.contains(document.activeElement);
        root.dataset.state = state;
        find(".call-who").textContent = who;
        find(".call-said").textContent = said;
        for (const element of root.querySelectorAll("[data-in]")) element.hidden = !element.dataset.in.split(" ").includes(state);
        button("mute").disabled = state !== "live";
        hasKeys?.(state === "live", ["over", "incoming"].includes(state));
        if (hadFocus && !(root.contains(document.activeElement) && isThere(document.activeElement))) focus();
    }

    const isThere = (element) => !element.closest("[hidden]") && !element.disabled;
    const focus = () => ([...root.querySelectorAll("button")].find(isThere) ?? root).focus();

    function rest()
    {
        endings.forEach((end) => end());
        [endings, call] = [[], undefined];
    }

    function over(said)
    {
        rest();
        show("over", said);
        freed();
    }

    function close()
    {
        rest();
        show("idle", idle[1], idle[0]);
        closed();
        freed();
    }

    function isLive()
    {
        const since = Date.now(), time = find(".call-time");
        time.textContent = "0:00";
        const timer = setInterval(() => { time.textContent = lengthOf(Date.now() - since); }, 1000);
        endings.forEach((end) => end()); // the bell
        endings = [() => clearInterval(timer)];
        for (const [stream, level] of [[call.localStream, "own"], [call.remoteStream, "other"]])
            if (stream) endings.push(showLevel(stream, find(`[data-level=${level}]`)));
        mute(false);
        show("live", "Connected");
    }

    function mute(isMuted)
    {
        for (const track of call?.localStream?.getAudioTracks() ?? []) track.enabled = !isMuted;
        button("mute").setAttribute("aria-pressed", String(isMuted));
        button("mute").textContent = isMuted ? "Unmute" : "Mute";
        find(".call-said").textContent = isMuted ? "Connected, microphone off" : "Connected";
    }

    /** Shows this call from now on. */
    function follow(one, who)
    {
        rest();
        [call, name, isOurs] = [one, who, false];
        cancel = () => one.hangup();
        one.remoteStream$.subscribe((stream) => {
            find("audio").srcObject = stream;
            if (one.status === "connected") isLive();
        });
        one.status$.subscribe((status) => {
            if (one !== call) return;
            if (status === "trying") show("calling", "Ringing…");
            if (status === "connecting") show("calling", "Connecting…");
            if (status === "connected") isLive();
            if (status === "destroyed") over(reasonOf(one.cause, name, isOurs));
        });
    }

    const press = {
        answer: () => {
            show("calling", "Connecting…");
            focus();
            call.answer().catch((error) => over(troubleOf(error)));
        },
        decline: () => {
            const one = call;
            declined.add(one);
            over("You declined.");
            one.reject().catch(() => {}); // over on this side, whoever has heard of it
        },
        mute: () => mute(button("mute").getAttribute("aria-pressed") === "false"),
        hangup: () => {
            isOurs = true;
            Promise.resolve(cancel()).catch(() => {});
        },
        close,
    };
    root.addEventListener("click", ({ target }) => press[target.closest?.("button")?.dataset.do]?.());
    show("idle", idle[1], idle[0]);

    return {
        get isFree() { return ["idle", "over"].includes(root.dataset.state); },
        get call() { return call; },
        hasDeclined: (one) => declined.has(one),
        /** A call that rings here. */
        rings(one, who)
        {
            follow(one, who);
            show("incoming", "is calling you");
            endings.push(ring());
        },
        /** Calls somebody. make: begins the call, and can be called off. */
        async dials(who, make)
        {
            const stop = new AbortController();
            rest();
            [name, isOurs] = [who, false];
            cancel = () => {
                stop.abort();
                over("You hung up.");
            };
            show("calling", "Waiting for the microphone…");
            focus();
            try {
                const one = await make(stop.signal);
                if (stop.signal.aborted) await one.hangup();
                else follow(one, who);
            } catch (error) {
                if (!stop.signal.aborted) over(troubleOf(error));
            }
        },
    };
}
