// Package jsonld checks proofs over the canonical form of JSON-LD, as WHO signs its trust
// lists (JsonWebSignature2020; spec who-icvp-gdhcn, 7).
//
// A proof covers the statements (quads) that a text makes, not the text: what a context
// does not define, or what is no absolute name, is left out by the rules of JSON-LD, unsigned.
// So a text is refused that brings a context of its own, uses a keyword, or has a member
// that the contexts do not know; and Statements tells of each subject how many statements
// were signed, for the reader to compare with what it read.
//
// Contexts are those of this package; none is fetched. The work is limited before it is
// done: the canonical form of a hostile graph may take factorial time.
package jsonld

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/piprate/json-gold/ld"
)

// Limits of what is brought into canonical form. Values of one name about one subject are
// compared each with each, so long lists are for the outermost object only.
const (
	maxValues  = 60_000 // members and elements
	maxEntries = 2_000  // of a list of the outermost object
	maxList    = 16     // of a list within
	maxTwice   = 8      // objects of one name
	maxBlank   = 200    // nodes without a name
	maxAlike   = 4      // of them that cannot be told apart by what is said of them: 4! orders are tried
	maxNesting = 8
	maxName    = 2_000 // bytes of an id, which each statement about it repeats
)

// ErrLimit says that a text would take too much work.
var ErrLimit = errors.New("jsonld: too many statements, or nodes that cannot be told apart")

//go:embed contexts/*.json
var contexts embed.FS

// The addresses of the contexts, as documents name them.
const (
	contextDID = "https://www.w3.org/ns/did/v1"
	contextJWS = "https://w3id.org/security/suites/jws-2020/v1"
	contextTNG = "https://smart.who.int/trust/tng-context/v1" // then -DEV or -UAT, and .jsonld
)

// termsTNG are the two places under which WHO's context has put its terms: which of
// them a list was signed with is not said in it.
var termsTNG = []string{"https://smart.who.int/trust/", "https://worldhealthorganization.github.io/smart-trust/"}

// library gives the contexts of this package, and nothing else; terms is one of termsTNG.
type library struct{ terms string }

// LoadDocument has the form that ld asks for.
func (l library) LoadDocument(address string) (*ld.RemoteDocument, error) {
	var name, environment string
	switch address {
	case contextDID:
		name = "did-v1"
	case contextJWS:
		name = "jws-2020-v1"
	case contextTNG + ".jsonld", contextTNG + "-DEV.jsonld", contextTNG + "-UAT.jsonld":
		name, environment = "tng-v1", strings.TrimSuffix(strings.TrimPrefix(address, contextTNG), ".jsonld")
	default:
		return nil, errors.New("jsonld: a context that is not known here")
	}
	text, err := contexts.ReadFile("contexts/" + name + ".json")
	if err != nil {
		return nil, err
	}
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("TERMS/"), []byte(l.terms)), []byte("-ENV"), []byte(environment))
	var document any
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	return &ld.RemoteDocument{DocumentURL: address, Document: document}, nil
}

// graph is what an object says.
type graph struct {
	text  string         // canonical form: N-Quads, sorted
	about map[string]int // statements by subject
}

// canonical brings an object into canonical form (URDNA2015). It is changed by that.
func canonical(object map[string]any, from library) (g graph, err error) {
	if err := plain(object); err != nil {
		return g, err
	}
	options := ld.NewJsonLdOptions("")
	options.ProcessingMode, options.DocumentLoader, options.SafeMode = ld.JsonLd_1_1, from, true
	found, err := ld.NewJsonLdProcessor().ToRDF(object, options)
	if err != nil {
		return g, fmt.Errorf("jsonld: %w", errors.New(reason(err)))
	}
	dataset, ok := found.(*ld.RDFDataset)
	if !ok || len(dataset.Graphs) != 1 {
		return g, errors.New("jsonld: not one graph")
	}
	quads := dataset.Graphs["@default"]
	if err := limited(quads); err != nil {
		return g, err
	}
	g.about = map[string]int{}
	for _, q := range quads {
		g.about[q.Subject.GetValue()]++
	}
	algorithm := ld.NewNormalisationAlgorithm(ld.AlgorithmURDNA2015)
	algorithm.Normalize(dataset) // sorts the statements; its own text takes quadratic time
	var text strings.Builder
	err = (&ld.NQuadRDFSerializer{}).SerializeTo(&text, &ld.RDFDataset{Graphs: map[string][]*ld.Quad{"@default": algorithm.Quads()}})
	if err != nil || text.Len() == 0 {
		return g, errors.New("jsonld: says nothing")
	}
	g.text = text.String()
	return g, nil
}

// reason is the code of an error of ld, whose details may quote the text.
func reason(err error) string {
	var e *ld.JsonLdError
	if errors.As(err, &e) {
		return string(e.Code)
	}
	return "refused"
}

// plain refuses contexts and keywords within an object, whose own context is a list of
// names, and what would be too much work.
func plain(object map[string]any) error {
	list, ok := object["@context"].([]any)
	if !ok || slices.ContainsFunc(list, func(c any) bool { _, ok := c.(string); return !ok }) {
		return errors.New("jsonld: context is not a list of names")
	}
	p := survey{ids: map[string]int{}}
	for name, value := range object {
		if name == "@context" {
			continue
		}
		if err := p.member(name, value, maxEntries); err != nil {
			return err
		}
	}
	return nil
}

// survey counts what is in an object.
type survey struct {
	values int
	ids    map[string]int
}

func (p *survey) member(name string, value any, longest int) error {
	if strings.HasPrefix(name, "@") {
		return errors.New("jsonld: a keyword within the text")
	}
	if id, ok := value.(string); ok && name == "id" {
		if p.ids[id]++; p.ids[id] > maxTwice || len(id) > maxName {
			return ErrLimit
		}
	}
	return p.value(value, longest)
}

func (p *survey) value(value any, longest int) error {
	if p.values++; p.values > maxValues {
		return ErrLimit
	}
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if err := p.member(name, member, maxList); err != nil {
				return err
			}
		}
	case []any:
		if len(value) > longest {
			return ErrLimit
		}
		for _, element := range value {
			if err := p.value(element, maxList); err != nil {
				return err
			}
		}
	}
	return nil
}

// absolute is an IRI that cannot be mistaken for anything else where it is written.
var absolute = regexp.MustCompile("^[A-Za-z][A-Za-z0-9+.-]*:[^\\x00-\\x20<>\"{}|^`\\\\]+$")

// limited bounds the work that the canonical form takes. Nodes without a name that differ
// in what is said of them are told apart at once; of the others all orders are tried.
func limited(quads []*ld.Quad) error {
	said := map[string][]*ld.Quad{}
	for _, q := range quads {
		of := map[string]bool{}
		for _, node := range []ld.Node{q.Subject, q.Predicate, q.Object} {
			switch {
			case ld.IsBlankNode(node):
				of[node.GetValue()] = true
			case ld.IsIRI(node) && !absolute.MatchString(node.GetValue()):
				return errors.New("jsonld: a name that is none")
			}
		}
		for id := range of {
			said[id] = append(said[id], q)
		}
	}
	if len(said) > maxBlank {
		return ErrLimit
	}
	same, alike := map[string]int{}, 0
	for id, list := range said {
		same[describe(id, list)]++
	}
	for _, n := range same {
		if n > 1 {
			alike += n
		}
	}
	if alike > maxAlike {
		return ErrLimit
	}
	return nil
}

// describe digests what is said of a node, the other nodes without a name taken as one.
func describe(id string, list []*ld.Quad) string {
	lines := make([]string, 0, len(list))
	for _, q := range list {
		line := ""
		for _, node := range []ld.Node{q.Subject, q.Predicate, q.Object} {
			text := node.GetValue()
			switch literal, ok := node.(ld.Literal); {
			case ok:
				text = fmt.Sprintf("%q %q %q", literal.Value, literal.Datatype, literal.Language)
			case ld.IsBlankNode(node) && text == id:
				text = "_:a"
			case ld.IsBlankNode(node):
				text = "_:z"
			}
			line += text + "\n"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	digest := sha256.Sum256([]byte(strings.Join(lines, "\x00")))
	return hex.EncodeToString(digest[:])
}
