// sound.js — how loud somebody is, and a bell. One AudioContext for the page, begun when it is first needed.

let context;
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

function sound()
{
    context ??= new AudioContext();
    if (context.state === "suspended") void context.resume().catch(() => {}); // until somebody has clicked
    return context;
}

/** Shows a stream's loudness on a level: an SVG with a bar, of 100. Gives a function that ends it. */
export function showLevel(stream, level)
{
    const show = (value) => {
        level.firstElementChild.setAttribute("width", value);
        level.setAttribute("aria-valuenow", value);
    };
    const analyser = new AnalyserNode(sound(), { fftSize: 512 }), source = sound().createMediaStreamSource(stream);
    const samples = new Float32Array(analyser.fftSize);
    source.connect(analyser);
    const timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        const loud = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length);
        show(Math.round(Math.min(1, Math.sqrt(loud) * 1.4) * 100)); // small sounds are seen, too
    }, isCalm.matches ? 1000 : 100);
    return () => {
        clearInterval(timer);
        source.disconnect();
        show(0);
    };
}

/** Two notes, again and again. Gives a function that ends them. */
export function ring()
{
    const gain = new GainNode(sound(), { gain: 0 });
    const note = new OscillatorNode(sound(), { type: "sine", frequency: 660 });
    const strike = () => {
        const now = context.currentTime;
        note.frequency.setValueAtTime(660, now).setValueAtTime(880, now + 0.25);
        gain.gain.setValueAtTime(0.08, now).linearRampToValueAtTime(0.05, now + 0.25).linearRampToValueAtTime(0, now + 0.7);
    };
    note.connect(gain).connect(context.destination);
    note.start();
    strike();
    const timer = setInterval(strike, 2000);
    return () => {
        clearInterval(timer);
        note.stop();
        gain.disconnect();
    };
}
