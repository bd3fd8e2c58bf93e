package server

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"akashi/internal/actor"
	"akashi/internal/office"
)

// face is one listener with a route table of its own.
type face string

const (
	staffFace  face = "staff"
	publicFace face = "public"
	opsFace    face = "ops"
)

var faces = []face{staffFace, publicFace, opsFace}

// anyone is the permission of a route that needs no session; it is written out so
// that none is open by omission.
const anyone office.Permission = "anyone"

// oneself is the permission of a route on one's own account and session.
const oneself office.Permission = "oneself"

// prefix of the contract's first version.
const prefix = "/api/v1"

// route is one line of the registry: who may call it, why, with how much.
type route struct {
	faces      []face
	method     string
	path       string // parameters in braces
	id         string // operation id
	ja, en     string
	permission office.Permission
	purpose    actor.Purpose
	status     int      // of success
	query      []string // parameters it knows
	takes      []string // media types of the body; none: no body
	gives      string   // media type of the answer; empty: JSON
	in, out    any      // values of the types of body and answer
	bytes      int64    // largest body; 0: 64 KiB
	longer     time.Duration
	bare       bool // its body may be left out
	keyed      bool // takes an Idempotency-Key
	stepUp     bool // the second factor was proven in the last five minutes (S-018)
	throttled  bool
	looksUp    bool // shows a person's data or asks the register: taken from the budget
	pictures   bool // takes pictures, which may be larger
	hidden     bool // not part of the contract
	// ofApplicant: a form about one applicant, which names who is being served (L-03)
	ofApplicant bool
	refreshes   bool   // a page that asks for itself again while something goes on
	logged      string // the operation as which the log names it; empty: its own
	// leaves: ends sessions, which nothing but the database can refuse (S-017)
	leaves bool
	// whileSuspended: also while the office is suspended, to read its log and resume it
	whileSuspended bool
	// whileUnsigned: also while the log is not being signed, to agree on how it goes on
	whileUnsigned bool
	serve         func(*call) (answer, error)

	registry huma.Registry
	schema   *huma.Schema // of the body
}

// action is how the log names what the route does: "revoke-certificate" is
// "certificate.revoke", as the act itself is named.
func (r *route) action() string {
	verb, noun, _ := strings.Cut(cmp.Or(r.logged, r.id), "-")
	if verb == "get" {
		verb = "read"
	}
	if one, ok := strings.CutSuffix(noun, "ches"); ok {
		return one + "ch." + verb
	}
	return strings.TrimSuffix(noun, "s") + "." + verb
}

func (r *route) limit() int64 {
	if r.bytes > 0 {
		return r.bytes
	}
	return maxBody
}

func (r *route) time() time.Duration {
	if r.longer > 0 {
		return r.longer
	}
	return handlerTime
}

var (
	jsonType = []string{"application/json"}
	csvTypes = []string{csvType, "application/octet-stream"}
	paging   = []string{"cursor", "limit"}
)

// routes is the registry of all faces (S-001, S-024).
func (s *Server) routes() []*route {
	var all []*route
	for _, group := range [][]*route{
		s.signInRoutes(), s.importRoutes(), s.applicationRoutes(), s.certificateRoutes(), s.manyRoutes(), s.mailingRoutes(), s.batchRoutes(), s.paperRoutes(), s.statisticsRoutes(), s.approvalRoutes(), s.accountRoutes(), s.rosterRoutes(), s.officeRoutes(), s.terminalRoutes(), s.retentionRoutes(), s.logRoutes(), s.counterRoutes(), s.openRoutes(),
	} {
		all = append(all, group...)
	}
	return all
}

var staffOnly = []face{staffFace}

func (s *Server) applicationRoutes() []*route {
	post := func(path, id string, p office.Permission, in any, serve func(*call) (answer, error), ja, en string) *route {
		r := &route{
			faces: staffOnly, method: http.MethodPost, path: prefix + "/applications" + path, id: id, permission: p, purpose: actor.Certificate,
			status: http.StatusOK, in: in, out: applicationBody{}, serve: serve, ja: ja, en: en,
		}
		if in != nil {
			r.takes = jsonType
		}
		return r
	}
	create := post("", "create-application", office.WriteApplications, formBody{}, s.createApplication, "申請を下書きとして作る", "Create an application as a draft")
	create.status, create.keyed = http.StatusCreated, true
	submit := post("/{id}/submit", "submit-application", office.WriteApplications, nil, s.submitApplication, "申請を提出し、旅券と記録を確かめる", "Hand in an application and check passport and record")
	supply := post("/{id}/answer", "answer-application", office.WriteApplications, formBody{}, s.answerApplication, "不足を補い、もう一度確かめる", "Supply what was missing and check again")
	submit.looksUp, supply.looksUp = true, true
	issue := post("/{id}/certificate", "issue-certificate", office.Issue, nil, s.issueCertificate,
		"証明書を発行する（発行済みならそれを返す: 200）", "Issue the certificate, or return the one there is (200)")
	issue.status, issue.keyed, issue.takes, issue.in, issue.bare, issue.out = http.StatusCreated, true, jsonType, issueBody{}, true, certificateBody{}
	number := post("/{id}/number", "enter-number", office.EnterNumber, numberBody{}, s.enterNumber,
		"個人番号で記録を探す、または登録する（番号は二度と表示しない）", "Look for the record by the individual number, or store it; it is never shown again")
	number.out = numberAnswer{}
	preview := post("/{id}/preview", "preview-certificate", office.Issue, nil, s.previewCertificate,
		"発行されるものを、旅券と記録に照らして見る（何も作らない。記録される）", "See what would be issued, beside passport and record; nothing is made, and the look-up is logged")
	preview.method, preview.looksUp, preview.out = http.MethodGet, true, previewBody{}
	paper := *preview
	paper.path, paper.id, paper.logged, paper.gives, paper.serve = preview.path+".pdf", "get-preview", preview.id, "application/pdf", s.getPreviewPaper
	paper.ja, paper.en = "発行される紙面の確認用（コードなし）", "The paper that would be printed, marked as a preview and without codes"
	return []*route{create,
		{
			faces: staffOnly, method: http.MethodGet, path: prefix + "/applications", id: "list-applications", permission: office.ReadApplications, purpose: actor.Certificate,
			status: http.StatusOK, query: append([]string{"state", "order"}, paging...), out: applicationList{}, serve: s.listApplications,
			ja: "申請の一覧（個人の情報なし。state はカンマ区切り、order は oldest か newest）", en: "List applications, without anything personal; state takes several with commas, order is oldest or newest",
		},
		{
			faces: staffOnly, method: http.MethodGet, path: prefix + "/applications/{id}", id: "get-application", permission: office.ReadApplications, purpose: actor.Certificate,
			status: http.StatusOK, looksUp: true, out: examinedBody{}, serve: s.getApplication, ja: "申請を読む（記録される）", en: "Read an application; the look-up is logged",
		},
		{
			faces: staffOnly, method: http.MethodGet, path: prefix + "/applications/{id}/history", id: "get-history", permission: office.ReadCertificates, purpose: actor.Certificate,
			status: http.StatusOK, looksUp: true, out: historyBody{}, serve: s.getHistory,
			ja: "申請の人の証明書をすべて、今の記録との違いとともに（記録される）", en: "Every certificate of the person of an application, with what the record says otherwise now; the look-up is logged",
		},
		submit, supply,
		post("/{id}/withdraw", "withdraw-application", office.WriteApplications, nil, s.withdrawApplication, "申請を取り下げる", "Withdraw an application"),
		post("/{id}/decision", "decide-application", office.Decide, decisionBody{}, s.decideApplication, "保留の申請を決める", "Decide an application that is held"),
		post("/{id}/another", "justify-application", office.Issue, anotherBody{}, s.justifyApplication,
			"同じ種類・同じ旅券の有効な証明書がある人に、もう一通発行する理由を記録する", "Record why another certificate is made beside a valid one of the same kind, holder and passport; nothing is issued"),
		number, preview, &paper, issue,
	}
}

func (s *Server) certificateRoutes() []*route {
	of := func(method, path, id string, p office.Permission, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: staffOnly, method: method, path: prefix + path, id: id, permission: p, purpose: actor.Certificate,
			status: http.StatusOK, out: certificateBody{}, serve: serve, ja: ja, en: en,
		}
	}
	list := of(http.MethodGet, "/certificates", "list-certificates", office.ReadCertificates, s.listCertificates, "証明書の一覧", "List certificates")
	list.query, list.out = append([]string{"application", "state", "renew_within", "corrected"}, paging...), certificateList{}
	codes := of(http.MethodGet, "/certificates/{id}/codes", "get-codes", office.Print, s.getCodes, "コードの正確な文字列", "The exact text of each code")
	codes.out = codesBody{}
	card := of(http.MethodGet, "/certificates/{id}/card", "get-card", office.Print, s.getCard, "SMART Health Card のファイル", "The .smart-health-card file")
	card.gives = cardType
	one := of(http.MethodPost, "/certificates/{id}/prints", "print-certificate", office.Print, s.printCertificate, "新しい写しを PDF で作る", "Print a new copy as PDF")
	one.status, one.gives, one.keyed = http.StatusCreated, "application/pdf", true
	many := of(http.MethodPost, "/prints", "print-certificates", office.Print, s.printCertificates, "複数の証明書を一つの PDF にする", "Print several certificates into one PDF")
	many.status, many.gives, many.keyed, many.takes, many.in, many.longer = http.StatusCreated, "application/pdf", true, jsonType, printsBody{}, 2*time.Minute
	prints := of(http.MethodGet, "/certificates/{id}/prints", "list-prints", office.ReadCertificates, s.listPrints, "印刷された写しの一覧（記録される）", "What was printed of a certificate, when and by whom; the look-up is logged")
	prints.logged, prints.out = "get-certificate", printList{}
	again := of(http.MethodGet, "/certificates/{id}/prints/{number}", "get-print", office.Print, s.getPrint, "同じ写しをもう一度得る", "The bytes of an earlier copy again")
	again.gives = "application/pdf"
	reissue := of(http.MethodPost, "/certificates/{id}/reissue", "reissue-certificate", office.Issue, s.reissueCertificate, "今の記録で作り直す", "Make it again from the record as it is now")
	reissue.status, reissue.takes, reissue.in = http.StatusCreated, jsonType, whyBody{}
	revoke := of(http.MethodPost, "/certificates/{id}/revoke", "revoke-certificate", office.Revoke, s.revokeCertificate, "一枚を失効させる", "Revoke one certificate")
	revoke.takes, revoke.in, revoke.stepUp = jsonType, whyBody{}, true
	for _, r := range []*route{codes, card, again} { // prints count each certificate
		r.looksUp = true
	}
	return []*route{
		list, of(http.MethodGet, "/certificates/{id}", "get-certificate", office.ReadCertificates, s.getCertificate, "証明書を読む（記録される）", "Read a certificate; the look-up is logged"),
		codes, card, prints, one, many, again, reissue, revoke,
	}
}

func (s *Server) openRoutes() []*route {
	open := func(f face, method, path, id string, p actor.Purpose, serve func(*call) (answer, error), ja, en string) *route {
		return &route{
			faces: []face{f}, method: method, path: path, id: id, permission: anyone, purpose: p, status: http.StatusOK, serve: serve, ja: ja, en: en,
		}
	}
	verifyStaff := open(staffFace, http.MethodPost, prefix+"/verify", "verify", actor.Verify, s.verifyCode, "コードを確かめる（何も残さない）", "Judge a code; nothing is kept")
	verifyStaff.permission, verifyStaff.takes = office.Verify, append([]string{"application/json", "text/plain", cardType}, pictureTypes...)
	verifyStaff.in, verifyStaff.out, verifyStaff.pictures = verifyBody{}, verdictsBody{}, true
	verifyPublic := *verifyStaff
	verifyPublic.faces, verifyPublic.permission, verifyPublic.throttled = []face{publicFace}, anyone, true

	keys := open(publicFace, http.MethodGet, "/.well-known/jwks.json", "get-keys", actor.Verify, s.keySet, "公開鍵", "The public keys of the health cards")
	cards := open(publicFace, http.MethodGet, "/.well-known/crl/{file}", "get-card-list", actor.Verify, s.cardList,
		"鍵ごとの失効リスト（鍵の名前と .json）", "The revocation list of a key of the health cards: key id and .json")
	withdrawn := open(publicFace, http.MethodGet, "/.well-known/dcc/{file}", "get-withdrawn", actor.Verify, s.withdrawnFile,
		"EU 証明書の失効リスト（目録は index.json）", "The revocation lists of EU certificates; index.json names them")
	directory := open(publicFace, http.MethodGet, prefix+"/trust/{name}", "get-trust-file", actor.Verify, s.trustFile,
		"信頼ディレクトリの目録、鍵、発行者の登録内容", "Of the trust directory: manifest.json, jwks.json, and vci-issuers.json, the entry for directories of issuers")
	named := open(publicFace, http.MethodGet, prefix+"/trust/{name}/{file}", "get-trust-part", actor.Verify, s.trustFile,
		"信頼ディレクトリのファイル（証明書、失効リスト、状態リスト）", "Of the trust directory: a certificate, a revocation list, the status list; manifest.json names them")
	named.gives = "application/octet-stream"
	var preflights []*route
	for _, r := range []*route{keys, cards, withdrawn, directory, named} {
		p := open(publicFace, http.MethodOptions, r.path, r.id+"-options", actor.Verify, s.openOptions, "CORS", "CORS")
		p.status, p.hidden = http.StatusNoContent, true
		preflights = append(preflights, p)
	}
	live := open(opsFace, http.MethodGet, "/healthz", "live", actor.Operate, s.live, "動いている", "The process runs")
	ready := open(opsFace, http.MethodGet, "/readyz", "ready", actor.Operate, s.ready, "使える", "The service can work")
	live.out, ready.out = healthBody{}, healthBody{}
	nodes := open(opsFace, http.MethodGet, "/nodes", "get-nodes", actor.Operate, s.nodes, "動いているプロセスとその構成", "The processes that serve, with build and configuration")
	nodes.out = nodesBody{}
	figures := open(opsFace, http.MethodGet, "/metrics", "metrics", actor.Operate, s.metrics, "計数", "Figures for Prometheus")
	figures.gives = "text/plain"
	checkpoint := open(publicFace, http.MethodGet, prefix+"/issuance-log/checkpoint", "get-issuance-log", actor.Verify, s.issuanceCheckpoint,
		"発行記録の署名された検査点", "The signed checkpoint of the issuance log")
	checkpoint.gives = noteType
	part := open(publicFace, http.MethodGet, prefix+"/issuance-log/{size}/{part}", "get-issuance-log-part", actor.Verify, s.issuancePart,
		"発行記録の索引または一部（どの証明書かは分からない）", "The index or one part of the issuance log; it does not tell which certificate is meant")
	part.gives = "application/octet-stream"
	all := append(preflights, verifyStaff, &verifyPublic, keys, cards, withdrawn, directory, named, checkpoint, part, live, ready, nodes, figures)
	for _, f := range []face{staffFace, publicFace} {
		home := open(f, http.MethodGet, "/", "home", actor.Operate, page(string(f)+".html"), "この画面", "What this face is")
		home.gives, home.hidden = "text/html", true
		document := open(f, http.MethodGet, "/openapi.json", "openapi", actor.Operate, s.describe, "この面の OpenAPI 3.1", "OpenAPI 3.1 of this face")
		document.gives, document.hidden = openAPIType, true
		all = append(all, home, document)
	}
	return all
}
