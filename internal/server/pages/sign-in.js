// Setting up an account and signing in with a passkey. The token of a set-up link
// stands in the fragment, which is never sent, and leaves the address at once.

// What was printed for the last applicant does not stay open (counter.js).
if (window.name === "with-paper") {
  open("", "paper")?.close();
  window.name = "";
}

const said = document.getElementById("said");

function say(ja, en, kind) {
  said.dataset.kind = kind;
  said.replaceChildren(ja, document.createElement("br"), Object.assign(document.createElement("span"), { lang: "en", textContent: en }));
}

async function post(path, body) {
  const answer = await fetch("/api/v1" + path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), credentials: "same-origin",
  });
  const value = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw value;
  return value;
}

// guarded runs one step at a time and says what went wrong.
function guarded(form, run) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      await run(new FormData(form));
    } catch (problem) {
      if (problem.ja) say(problem.ja, problem.en, "error");
      else say("パスキーを使えませんでした。もう一度お試しください。", "The passkey could not be used. Please try again.", "error");
    } finally {
      button.disabled = false;
    }
  });
}

async function create(options) {
  return (await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })).toJSON();
}

// orphaned lets the device forget a passkey that the service has refused, where it can.
async function orphaned(rpId, credentialId) {
  try {
    await PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId });
  } catch {
    // it stays where it was made, and opens nothing
  }
}

async function get(options) {
  return (await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) })).toJSON();
}

// read shows the reminder and waits until the person has read it.
function read(form, reminder) {
  const button = Object.assign(document.createElement("button"), { type: "button", id: "read" });
  button.append("読みました ", Object.assign(document.createElement("span"), { lang: "en", textContent: "I have read this" }));
  form.hidden = true;
  say(reminder.ja, reminder.en, "ask");
  said.after(button);
  button.focus();
  return new Promise((done) => button.addEventListener("click", () => {
    button.remove();
    form.hidden = false;
    delete said.dataset.kind;
    said.replaceChildren();
    done(reminder.version);
  }, { once: true }));
}

const signIn = document.getElementById("sign-in");
if (signIn) {
  guarded(signIn, async (fields) => {
    const who = { user: fields.get("user").trim(), password: fields.get("password") };
    let asked = await post("/session", who);
    const reminder = asked.reminder && await read(signIn, asked.reminder);
    if (!asked.challenge && !asked.account) asked = await post("/session", { ...who, reminder });
    const me = asked.account ?? await post("/session/passkey", { challenge: asked.challenge, credential: await get(asked.public_key), reminder });
    signIn.remove();
    say(`${me.name} さんとしてサインインしました。`, `Signed in as ${me.user}.`, "ok");
    location.assign(["clerk", "approver", "officer"].includes(me.role) ? "/counter" : "/counter/office");
  });
}

const setup = document.getElementById("setup");
if (setup) {
  const link = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  post("/setup/challenge", { link }).then((asked) => {
    document.getElementById("user").textContent = asked.user;
  }).catch((problem) => {
    setup.remove();
    say(problem.ja ?? "設定リンクを確かめられませんでした。", problem.en ?? "The set-up link could not be checked.", "error");
  });
  guarded(setup, async (fields) => {
    const password = fields.get("password");
    const asked = await post("/setup/challenge", { link, password }); // which refuses a password before there is a passkey
    const credential = await create(asked.public_key);
    const done = await post("/setup", { link, password, challenge: asked.challenge, credential }).catch(async (problem) => {
      if (problem.status < 500) await orphaned(asked.public_key.rp.id, credential.id);
      throw problem;
    });
    setup.remove();
    say(`${done.user} の設定が終わりました。サインインしてください。`, `${done.user} is set up. Please sign in.`, "ok");
    said.append(document.createElement("br"), Object.assign(document.createElement("a"), { href: "/sign-in", textContent: "サインイン / Sign in" }));
  });
}
