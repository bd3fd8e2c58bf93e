package server

import (
	"net/http"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// memberBody is one member of staff and what the account may do.
type memberBody struct {
	ID     string              `json:"id"`
	User   string              `json:"user_id"`
	Name   string              `json:"name"`
	Unit   string              `json:"unit"`
	Role   office.Role         `json:"role"`
	State  office.AccountState `json:"state"`
	EndsAt time.Time           `json:"ends_at,omitzero"`
	UsedAt time.Time           `json:"used_at,omitzero" doc:"last sign-in, or when it was made or enabled"`
}

func memberOf(p office.Staff) memberBody {
	return memberBody{p.ID, p.User, p.Name, p.Unit, p.Role, p.State, p.Ends, p.Used}
}

// memberHistoryBody is one account with what it could do, newest first.
type memberHistoryBody struct {
	memberBody
	History []heldBody `json:"history"`
}

type heldBody struct {
	At    time.Time           `json:"from"`
	Unit  string              `json:"unit"`
	Role  office.Role         `json:"role"`
	State office.AccountState `json:"state"`
	Ends  time.Time           `json:"ends_at,omitzero"`
}

type accountList struct {
	Accounts []memberBody `json:"accounts"`
}

// Duties are what is asked for besides who it is.
type Duties struct {
	Unit        string      `json:"unit" minLength:"1" maxLength:"100"`
	Role        office.Role `json:"role"`
	EndsOn      clock.Date  `json:"ends_on" doc:"last day, within two years (R-160)"`
	TrainedOn   clock.Date  `json:"trained_on" doc:"when the person was told the rules of handling (R-168)"`
	SectionHead string      `json:"section_head" minLength:"1" maxLength:"100" doc:"who answers for it in the section (S-011)"`
	SystemOwner string      `json:"system_owner" minLength:"1" maxLength:"100" doc:"and for the system"`
}

func (b Duties) request() office.AccountRequest {
	return office.AccountRequest{Unit: b.Unit, Role: b.Role, Ends: b.EndsOn, Trained: b.TrainedOn, SectionHead: b.SectionHead, SystemOwner: b.SystemOwner}
}

type newAccountBody struct {
	User string `json:"user_id" minLength:"1" maxLength:"100"`
	Name string `json:"name" minLength:"1" maxLength:"100"`
	Duties
}

type accountRequestBody struct {
	ID          string      `json:"id"`
	Kind        office.Kind `json:"kind"`
	Account     string      `json:"account,omitempty" doc:"its id, once there is one"`
	User        string      `json:"user_id"`
	Name        string      `json:"name"`
	Was         office.Role `json:"was,omitempty" doc:"the role that the account has now"`
	Approval    string      `json:"approval" doc:"its id: somebody else approves it there"`
	RequestedBy string      `json:"requested_by"`
	RequestedAt time.Time   `json:"requested_at"`
	DoneBy      string      `json:"done_by,omitempty"`
	DoneAt      time.Time   `json:"done_at,omitzero"`
	Link        string      `json:"setup_link,omitempty" doc:"token for the new person, shown once"`
	Duties
}

type accountRequestList struct {
	Requests []accountRequestBody `json:"requests"`
	Next     string               `json:"next,omitempty" doc:"cursor of the next page"`
}

func (s *Server) accountRoutes() []*route {
	of := func(method, path, id string, p office.Permission, in any, serve func(*call) (answer, error), ja, en string) *route {
		r := &route{
			faces: staffOnly, method: method, path: prefix + "/accounts" + path, id: id, permission: p, purpose: actor.Operate,
			status: http.StatusOK, in: in, out: accountRequestBody{}, serve: serve, ja: ja, en: en,
		}
		if in != nil {
			r.takes = jsonType
		}
		return r
	}
	list := of(http.MethodGet, "", "list-accounts", office.ReadAccounts, nil, s.listAccounts, "利用者と権限の一覧（ある日の終わりの時点）", "Who has an account and what it may do, or had at the end of a day")
	list.query, list.out = []string{"on"}, accountList{}
	one := of(http.MethodGet, "/{id}", "get-member", office.ReadAccounts, nil, s.getMember, "利用者とその権限の移り変わりを読む", "Read an account with what it could do from when on")
	one.out, one.logged = memberHistoryBody{}, "get-account"
	ask := of(http.MethodPost, "/requests", "request-account", office.RequestAccount, newAccountBody{}, s.askAccount, "利用者の登録を依頼する", "Ask for a new account")
	change := of(http.MethodPost, "/{id}/change", "request-account-change", office.RequestAccount, Duties{}, s.askAccountChange(false), "権限、所属、期限の変更を依頼する", "Ask for another role, unit or end of an account")
	enable := of(http.MethodPost, "/{id}/enable", "request-account-enable", office.RequestAccount, Duties{}, s.askAccountChange(true), "停止した利用者の再開を依頼する", "Ask to enable a disabled account as it was")
	for _, r := range []*route{ask, change, enable} {
		r.status, r.keyed = http.StatusCreated, true
	}
	requests := of(http.MethodGet, "/requests", "list-account-requests", office.ReadAccounts, nil, s.listAccountRequests, "利用者の依頼の一覧", "List requests for accounts")
	requests.query, requests.out = paging, accountRequestList{}
	disable := of(http.MethodPost, "/{id}/disable", "disable-account", office.DisableAccount, nil, s.disableAccount, "利用者を直ちに停止する", "Disable an account at once")
	disable.status, disable.out, disable.stepUp = http.StatusNoContent, nil, true
	kin := of(http.MethodPost, "/{id}/kin", "add-account-kin", office.RequestAccount, kinBody{}, s.addKin, "本人または同じ世帯の人を、その利用者が扱えない人として登録する（台帳に世帯はなく、姓の違う家族は登録しないと分からない）", "Note a person whose cases the account may not touch: itself or its household. The register has no households: kin of another name are not found unless they are noted")
	unkin := of(http.MethodDelete, "/{id}/kin", "clear-account-kin", office.ApproveAccount, nil, s.clearKin, "扱えない人の登録をすべて消す（本人にはできない）", "Forget the persons whose cases the account may not touch; never one's own")
	own := of(http.MethodPost, "", "add-own-kin", oneself, kinBody{}, s.addOwnKin, "自分または同じ世帯の人を、自分が扱えない人として登録する（台帳に世帯はなく、姓の違う家族は登録しないと分からない）", "Note a person whose cases one may not touch: oneself or one's household. The register has no households: kin of another name are not found unless they are noted")
	own.path, unkin.stepUp = prefix+"/account/kin", true
	for _, r := range []*route{kin, unkin, own} {
		r.status, r.out = http.StatusNoContent, nil
	}
	for r, as := range map[*route]string{change: "request-account", enable: "request-account", kin: "add_kin-account", own: "add_kin-account", unkin: "clear_kin-account", requests: "list_requests-account"} {
		r.logged = as
	}
	for _, r := range []*route{kin, own} { // tell whether somebody is in the register
		r.looksUp = true
	}
	request := of(http.MethodGet, "/requests/{id}", "get-account-request", office.ReadAccounts, nil, s.getAccountRequest, "利用者の依頼を読む", "Read a request for an account")
	carry := of(http.MethodPost, "/requests/{id}/carry-out", "carry-out-account-request", office.CarryOutAccount, nil, s.carryOutAccount, "承認された依頼を実行する（第三者）", "Carry out an approved request, as a third person")
	request.logged, carry.logged = "read_request-account", "carry_out-account"
	return []*route{list, ask, requests, one, request, carry, change, enable, disable, kin, unkin, own}
}

// kinBody names a person of the register by two items (S-031).
type kinBody struct {
	Ticket    string     `json:"ticket_number" minLength:"1" maxLength:"40"`
	BirthDate clock.Date `json:"birth_date"`
}

func (s *Server) addKin(c *call) (answer, error) {
	id, err := s.row(c, "account")
	if err != nil {
		return answer{}, err
	}
	return s.addedKin(c, id)
}

func (s *Server) addOwnKin(c *call) (answer, error) { return s.addedKin(c, c.actor.Person) }

func (s *Server) addedKin(c *call, account string) (answer, error) {
	b, err := decode[kinBody](c)
	if err != nil {
		return answer{}, err
	}
	return answer{}, s.Accounts.AddKin(c.ctx, c.actor, account, b.Ticket, b.BirthDate)
}

func (s *Server) clearKin(c *call) (answer, error) {
	id, err := s.row(c, "account")
	if err != nil {
		return answer{}, err
	}
	return answer{}, s.Accounts.ClearKin(c.ctx, c.actor, id)
}

func accountRequestOf(r office.AccountRequest) accountRequestBody {
	return accountRequestBody{
		ID: r.ID, Kind: r.Kind, Account: r.Staff, User: r.User, Name: r.Name, Was: r.Was, Approval: r.Approval,
		RequestedBy: r.RequestedBy, RequestedAt: r.RequestedAt, DoneBy: r.DoneBy, DoneAt: r.DoneAt,
		Duties: Duties{r.Unit, r.Role, r.Ends, r.Trained, r.SectionHead, r.SystemOwner},
	}
}

func (s *Server) accountRequest(r office.AccountRequest, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return value(accountRequestOf(r))
}

func (s *Server) listAccounts(c *call) (answer, error) {
	on := s.Clock.Today()
	if text := c.query.Get("on"); text != "" {
		var err error
		if on, err = clock.ParseDate(text); err != nil || !on.Full() {
			return answer{}, fault.New(fault.Invalid, "date", "on")
		}
	}
	list, err := s.AccountRequests.Accounts(c.ctx, c.actor, on)
	if err != nil {
		return answer{}, err
	}
	out := accountList{Accounts: []memberBody{}}
	for _, p := range list {
		out.Accounts = append(out.Accounts, memberOf(p))
	}
	return value(out)
}

func (s *Server) getMember(c *call) (answer, error) {
	id, err := s.row(c, "account")
	if err != nil {
		return answer{}, err
	}
	p, held, err := s.AccountRequests.Account(c.ctx, c.actor, id)
	if err != nil {
		return answer{}, err
	}
	out := memberHistoryBody{memberBody: memberOf(p), History: []heldBody{}}
	for _, h := range held {
		out.History = append(out.History, heldBody(h))
	}
	return value(out)
}

func (s *Server) askAccount(c *call) (answer, error) {
	b, err := decode[newAccountBody](c)
	if err != nil {
		return answer{}, err
	}
	r := b.request()
	r.User, r.Name = b.User, b.Name
	return s.askedAccount(c, func(o *audit.Once) (office.AccountRequest, error) { return s.AccountRequests.Ask(c.ctx, c.actor, r, o) })
}

// askAccountChange asks for other duties, or to enable an account as it was.
func (s *Server) askAccountChange(enable bool) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		id, err := s.row(c, "account")
		if err != nil {
			return answer{}, err
		}
		b, err := decode[Duties](c)
		if err != nil {
			return answer{}, err
		}
		ask := s.AccountRequests.AskChange
		if enable {
			ask = s.AccountRequests.AskEnable
		}
		return s.askedAccount(c, func(o *audit.Once) (office.AccountRequest, error) { return ask(c.ctx, c.actor, id, b.request(), o) })
	}
}

func (s *Server) askedAccount(c *call, ask func(*audit.Once) (office.AccountRequest, error)) (answer, error) {
	return s.once(c, func(o *audit.Once) (answer, error) {
		r, err := ask(o)
		a, err := s.accountRequest(r, err)
		a.header = map[string]string{"Location": prefix + "/accounts/requests/" + r.ID}
		return a, err
	}, func(id string) (answer, error) {
		return s.accountRequest(s.AccountRequests.Get(c.ctx, c.actor, id))
	})
}

func (s *Server) listAccountRequests(c *call) (answer, error) {
	limit, before, err := c.page(rowForm)
	if err != nil {
		return answer{}, err
	}
	list, err := s.AccountRequests.List(c.ctx, c.actor, before, limit)
	if err != nil {
		return answer{}, err
	}
	out := accountRequestList{Requests: []accountRequestBody{}}
	for _, r := range list {
		out.Requests = append(out.Requests, accountRequestOf(r))
	}
	if len(list) == limit {
		out.Next = list[limit-1].ID
	}
	return value(out)
}

func (s *Server) getAccountRequest(c *call) (answer, error) {
	id, err := s.row(c, "account_request")
	if err != nil {
		return answer{}, err
	}
	return s.accountRequest(s.AccountRequests.Get(c.ctx, c.actor, id))
}

func (s *Server) carryOutAccount(c *call) (answer, error) {
	id, err := s.row(c, "account_request")
	if err != nil {
		return answer{}, err
	}
	r, link, err := s.AccountRequests.CarryOut(c.ctx, c.actor, id)
	if err != nil {
		return answer{}, err
	}
	b := accountRequestOf(r)
	b.Link = link
	return value(b)
}

func (s *Server) disableAccount(c *call) (answer, error) {
	id, err := s.row(c, "account")
	if err != nil {
		return answer{}, err
	}
	return answer{}, s.AccountRequests.Disable(c.ctx, c.actor, id)
}
