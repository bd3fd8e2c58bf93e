package server

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"time"

	"akashi/internal/actor"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// signInRoutes are how people set up an account, sign in, prove themselves again
// and leave (S-010 to S-018).
func (s *Server) signInRoutes() []*route {
	at := func(method, path, id string, p office.Permission, in, out any, serve func(*call) (answer, error), ja, en string) *route {
		r := &route{
			faces: staffOnly, method: method, path: prefix + path, id: id, permission: p, purpose: actor.Operate,
			status: http.StatusOK, in: in, out: out, serve: serve, ja: ja, en: en,
		}
		if in != nil {
			r.takes = jsonType
		}
		return r
	}
	post := http.MethodPost
	setup := at(post, "/setup", "finish-setup", anyone, setupBody{}, setUpBody{}, s.finishSetup, "パスワードとパスキーを設定する（一度だけ）", "Set password and passkey, once")
	setup.status = http.StatusCreated
	end := at(http.MethodDelete, "/session", "end-session", oneself, nil, nil, s.signOut(false), "サインアウトする", "Sign out")
	ends := at(http.MethodDelete, "/sessions", "end-sessions", oneself, nil, nil, s.signOut(true), "すべての端末でサインアウトする", "Sign out everywhere")
	for _, r := range []*route{end, ends} {
		r.status, r.leaves = http.StatusNoContent, true
	}
	ask := at(post, "/account/passkeys/challenge", "begin-passkey", oneself, nil, askedBody{}, s.beginPasskey, "パスキーの追加を始める", "Begin to add a passkey")
	add := at(post, "/account/passkeys", "add-passkey", oneself, answeredBody{}, nil, s.addPasskey, "パスキーを追加する", "Add a passkey")
	ask.stepUp, add.stepUp, add.status = true, true, http.StatusNoContent
	list := at(http.MethodGet, "/account/passkeys", "list-passkeys", oneself, nil, passkeyList{}, s.listPasskeys, "自分のパスキーの一覧", "One's own passkeys")
	remove := at(http.MethodDelete, "/account/passkeys/{id}", "remove-passkey", oneself, nil, nil, s.removePasskey,
		"パスキーを取り除く（最後の一つは残る。ほかのセッションは終わる）", "Remove a passkey, but never the last second factor; other sessions end")
	remove.stepUp, remove.status = true, http.StatusNoContent
	stepUp := at(post, "/session/step-up", "begin-step-up", oneself, stepUpBody{}, askedBody{}, s.beginStepUp, "もう一度パスキーを求める", "Ask for the passkey again")
	stepped := at(post, "/session/step-up/passkey", "finish-step-up", oneself, answeredBody{}, accountBody{}, s.finishStepUp,
		"もう一度パスキーで答える（5 分間有効）", "Answer with the passkey again; it counts for five minutes")
	stepUp.whileUnsigned, stepped.whileUnsigned = true, true
	recovery := at(post, "/accounts/{id}/recover", "recover-account", office.ApproveAccount, nil, recoveredBody{}, s.recoverAccount,
		"本人確認の手段を失った人に新しい設定リンクを渡す（別の人の依頼が必要）", "Give somebody who lost a credential a new set-up link, as another officer has asked")
	recovery.stepUp = true
	page := func(path, id, media string, serve func(*call) (answer, error), ja, en string) *route {
		r := at(http.MethodGet, "", id, anyone, nil, nil, serve, ja, en)
		r.path, r.gives, r.hidden = path, media, true
		return r
	}
	return []*route{
		page("/sign-in", "show-sign-in", "text/html", s.formOf(signInText), "サインインの画面", "The page to sign in"),
		page("/setup", "show-setup", "text/html", s.formOf(setupText), "アカウント設定の画面", "The page to set up an account"),
		page("/assets/sign-in.js", "get-script", "text/javascript", asset("sign-in.js", "text/javascript; charset=utf-8"), "画面の動作", "What the pages do"),
		page("/assets/sign-in.css", "get-style", "text/css", asset("sign-in.css", "text/css; charset=utf-8"), "画面の見た目", "How the pages look"),
		at(post, "/setup/challenge", "begin-setup", anyone, linkBody{}, askedBody{}, s.beginSetup, "設定リンクをたどる", "Follow a set-up link"), setup,
		at(post, "/session", "begin-session", anyone, signInBody{}, askedBody{}, s.beginSession,
			"ユーザ ID とパスワードを確かめ、パスキーを求める（カードならそのまま）", "Check user id and password and ask for the passkey; with a card, sign in at once"),
		at(post, "/session/passkey", "finish-session", anyone, answeredBody{}, accountBody{}, s.finishSession, "パスキーで答えてサインインする", "Answer with the passkey and sign in"),
		stepUp, stepped,
		at(post, "/session/next-person", "next-person", oneself, nil, accountBody{}, s.nextPerson, "次の人: 前の申請者の文脈を消す", "Next person: destroy the context of the last applicant"),
		end, ends,
		at(http.MethodGet, "/account", "get-account", oneself, nil, accountBody{}, s.getAccount, "自分のアカウント", "One's own account"),
		ask, add, list, remove, recovery,
	}
}

type linkBody struct {
	Link     string `json:"link" maxLength:"100" doc:"the token after # in a set-up link"`
	Password string `json:"password,omitempty" maxLength:"1024" doc:"as it will be sent with the answer: one that would be refused then is refused now, before a passkey is made"`
}

// askedBody is a question to a passkey, or the account where a card was enough.
type askedBody struct {
	User      string       `json:"user,omitempty"`
	Name      string       `json:"name,omitempty"`
	Challenge string       `json:"challenge,omitempty" doc:"names the question in the answer; it can be answered once, within five minutes"`
	PublicKey any          `json:"public_key,omitempty" doc:"options for navigator.credentials (WebAuthn)"`
	Account   *accountBody `json:"account,omitempty" doc:"instead of a question, where the connection showed the person's card"`
	// Reminder has to be read before the answer.
	Reminder *reminderBody `json:"reminder,omitempty" doc:"where it is due: to be shown, and its version sent with the answer"`
}

// reminderBody tells that work is recorded and for duty only.
type reminderBody struct {
	Version string `json:"version"`
	JA      string `json:"ja"`
	EN      string `json:"en"`
}

type setupBody struct {
	Link       string          `json:"link" maxLength:"100"`
	Password   string          `json:"password" maxLength:"1024" doc:"15 to 128 characters, any of them"`
	Challenge  string          `json:"challenge,omitempty" maxLength:"100"`
	Credential json.RawMessage `json:"credential,omitempty" doc:"what navigator.credentials.create gave, as JSON; without it the card of the connection is registered"`
	Label      string          `json:"label,omitempty" maxLength:"50" doc:"how its owner calls the passkey"`
}

type setUpBody struct {
	User string `json:"user"`
}

type recoveredBody struct {
	Link string `json:"link" doc:"to be handed to the person, and to nobody else; it works once, for 24 hours"`
}

type signInBody struct {
	User     string `json:"user" maxLength:"100" doc:"such as 900001-officer1"`
	Password string `json:"password" maxLength:"1024"`
	Reminder string `json:"reminder,omitempty" maxLength:"40" doc:"only with a card: the version of the reminder that the person has read"`
}

type stepUpBody struct {
	Password string `json:"password,omitempty" maxLength:"1024" doc:"only with a card: the connection must show it"`
}

type answeredBody struct {
	Challenge  string          `json:"challenge" maxLength:"100"`
	Credential json.RawMessage `json:"credential" doc:"what navigator.credentials gave, as JSON"`
	Label      string          `json:"label,omitempty" maxLength:"50" doc:"of a new passkey"`
	Reminder   string          `json:"reminder,omitempty" maxLength:"40" doc:"version of the reminder that was given with the question, once the person has read it"`
}

type passkeyBody struct {
	ID    string    `json:"id"`
	Label string    `json:"label,omitempty"`
	Made  time.Time `json:"made_at"`
	Used  time.Time `json:"used_at"`
}

type passkeyList struct {
	Passkeys []passkeyBody `json:"passkeys"`
}

func asked(a office.Asked) askedBody {
	return askedBody{Challenge: a.Challenge, PublicKey: a.PublicKey}
}

func (s *Server) beginSetup(c *call) (answer, error) {
	b, err := decode[linkBody](c)
	if err != nil {
		return answer{}, err
	}
	staff, q, err := s.Accounts.BeginSetup(c.ctx, b.Link, b.Password)
	if err != nil {
		return answer{}, err
	}
	body := asked(q)
	body.User, body.Name = staff.User, staff.Name
	return value(body)
}

func (s *Server) finishSetup(c *call) (answer, error) {
	b, err := decode[setupBody](c)
	if err != nil {
		return answer{}, err
	}
	staff, err := s.Accounts.FinishSetup(c.ctx, office.Setup{
		Link: b.Link, Password: b.Password, Challenge: b.Challenge, Credential: b.Credential, Label: b.Label, Place: s.origin(c),
	})
	if err != nil {
		return answer{}, err
	}
	return value(setUpBody{staff.User})
}

func (s *Server) beginSession(c *call) (answer, error) {
	b, err := decode[signInBody](c)
	if err != nil {
		return answer{}, err
	}
	at := s.at(c)
	begun, err := s.Accounts.Begin(c.ctx, office.Try{User: b.User, Password: b.Password, Read: b.Reminder, Place: at})
	if err != nil {
		return answer{}, err
	}
	if begun.Session != nil {
		return s.known(c, at, s.cardDone(begun.Session)), nil
	}
	body := asked(begun.Asked)
	if r := begun.Reminder; r != nil {
		body.Reminder = &reminderBody{r.Version(), r.JA, r.EN}
	}
	return value(body)
}

// at is the origin of a sign-in. A terminal that is not known by anything gets a
// token, by which it is known when strangers try the same account (S-015).
func (s *Server) at(c *call) office.Place {
	p := s.origin(c)
	if p.Terminal == "" {
		p.Terminal = s.Accounts.NewTerminal()
	}
	return p
}

// known lets the terminal keep its token for as long again.
func (s *Server) known(c *call, at office.Place, a answer) answer {
	if c.terminal.ID == "" {
		a.cookie = append(a.cookie, hostCookie(terminalCookie, at.Terminal, terminalLife))
	}
	return a
}

// cardDone answers where no question to a passkey is left.
func (s *Server) cardDone(session *office.Session) answer {
	a, account := s.held(session), s.me(session)
	a.body = askedBody{Account: &account}
	return a
}

func (s *Server) finishSession(c *call) (answer, error) {
	b, err := decode[answeredBody](c)
	if err != nil {
		return answer{}, err
	}
	at := s.at(c)
	session, err := s.Accounts.Finish(c.ctx, at, b.Challenge, b.Credential, b.Reminder)
	if err != nil {
		return answer{}, err
	}
	return s.known(c, at, s.held(session)), nil
}

func (s *Server) beginStepUp(c *call) (answer, error) {
	b, err := decode[stepUpBody](c)
	if err != nil {
		return answer{}, err
	}
	q, err := s.Accounts.BeginStepUp(c.ctx, c.session, s.origin(c), b.Password)
	if err != nil {
		return answer{}, err
	}
	if q.Challenge == "" {
		return s.cardDone(c.session), nil
	}
	return value(asked(q))
}

func (s *Server) finishStepUp(c *call) (answer, error) {
	b, err := decode[answeredBody](c)
	if err != nil {
		return answer{}, err
	}
	if err := s.Accounts.FinishStepUp(c.ctx, c.session, s.origin(c), b.Challenge, b.Credential); err != nil {
		return answer{}, err
	}
	return s.held(c.session), nil
}

func (s *Server) beginPasskey(c *call) (answer, error) {
	q, err := s.Accounts.BeginPasskey(c.ctx, c.session.Staff)
	if err != nil {
		return answer{}, err
	}
	return value(asked(q))
}

func (s *Server) addPasskey(c *call) (answer, error) {
	b, err := decode[answeredBody](c)
	if err != nil {
		return answer{}, err
	}
	return answer{}, s.Accounts.AddPasskey(c.ctx, c.session.Staff, s.origin(c), b.Challenge, b.Label, b.Credential)
}

func (s *Server) listPasskeys(c *call) (answer, error) {
	list, err := s.Accounts.OwnPasskeys(c.ctx, c.session.Staff, s.origin(c))
	if err != nil {
		return answer{}, err
	}
	out := passkeyList{Passkeys: []passkeyBody{}}
	for _, p := range list {
		out.Passkeys = append(out.Passkeys, passkeyBody{base64.RawURLEncoding.EncodeToString(p.ID), p.Label, p.Made, p.Used})
	}
	return value(out)
}

func (s *Server) removePasskey(c *call) (answer, error) {
	text, err := s.pathID(c, passkeyForm, "no_such_passkey")
	if err != nil {
		return answer{}, err
	}
	id, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return answer{}, s.refusal(c, fault.New(fault.NotFound, "no_such_passkey", ""))
	}
	if err := s.Accounts.RemovePasskey(c.ctx, c.session, s.origin(c), id); err != nil {
		return answer{}, err
	}
	a := s.held(c.session)
	a.body = nil
	return a, nil
}

// recoverAccount answers with the one thing that opens the account: it stands in
// the fragment, which no server and no log gets to see.
func (s *Server) recoverAccount(c *call) (answer, error) {
	id, err := s.row(c, "account")
	if err != nil {
		return answer{}, err
	}
	link, err := s.Accounts.Recover(c.ctx, c.actor, s.Approvals, id)
	return answer{body: recoveredBody{"/setup#" + link}}, err
}
