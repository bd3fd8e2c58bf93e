// What the pages do besides what HTML does: a scanner's Enter goes to the next
// field, what does not apply is hidden, and an act that needs the passkey asks for it.

const form = document.getElementById("new");

// A scanner types its data and then Enter, which must not send the form.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-scan]") || event.target.form?.method === "get") return;
  event.preventDefault();
  const fields = [...event.target.form.querySelectorAll("input:not([type=hidden]), textarea, select, button")].filter((e) => e.offsetParent);
  fields[fields.indexOf(event.target) + 1]?.focus();
});

// The new form is handed in by keyboard from wherever one is. A key that is held down acts
// once, so that nobody issues what nobody has looked at.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  if (event.repeat && !event.target.matches("textarea")) event.preventDefault();
  else if (event.ctrlKey && !event.repeat && form && event.target.form === form) form.requestSubmit();
});

if (form) {
  const shown = () => {
    document.getElementById("passport-part").hidden = form.elements.kind.value === "domestic";
    document.getElementById("international-part").hidden = form.elements.kind.value !== "icvp";
    document.getElementById("proxy").hidden = form.elements["applicant.relationship"].value === "self";
  };
  form.addEventListener("change", shown);
  shown();
}

// A page that comes to hold rare characters is shown in the font for names.
const rare = /[\uFE00-\uFE0F\uF900-\uFAFF\u{20000}-\u{3FFFF}\u{E0100}-\u{E01EF}]/u;
document.addEventListener("input", (event) => { if (rare.test(event.target.value)) document.documentElement.classList.add("rare"); });

document.querySelector(".wrong [name]")?.focus();

async function post(path, body) {
  const answer = await fetch("/api/v1" + path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), credentials: "same-origin",
  });
  const value = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw value;
  return value;
}

// Acts that need the second factor of the last five minutes.
for (const act of document.querySelectorAll("form[data-step-up]")) {
  act.addEventListener("submit", async (event) => {
    if (act.dataset.proven) return;
    event.preventDefault();
    try {
      const asked = await post("/session/step-up", {});
      if (asked.challenge) {
        const credential = await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked.public_key) });
        await post("/session/step-up/passkey", { challenge: asked.challenge, credential: credential.toJSON() });
      }
    } catch {
      // the service refuses the act and says why
    }
    act.dataset.proven = "asked";
    act.requestSubmit(event.submitter);
  });
}

// A paper opens beside the page; whoever comes back finds the page as it is then.
let opened = false;
addEventListener("submit", (event) => { opened ||= (event.submitter?.formTarget || event.target.target) === "_blank"; });
addEventListener("focus", () => { if (opened) location.replace(location.pathname.replace(/\/(issue|print)$/, "") + location.search); });

// What the browser kept of a page that was left is not shown again.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
