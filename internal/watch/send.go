package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Receiver is who is told of alerts: one address, which an operator set.
type Receiver struct {
	address string
	client  *http.Client
}

// sendTime is how long a receiver may take.
const sendTime = 5 * time.Second

// NewReceiver refuses an address that is not https, but on this machine. It is
// reached directly, and sends nobody elsewhere.
func NewReceiver(address string) (*Receiver, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, errors.New("the receiver of alerts needs an https:// address")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	return &Receiver{address, &http.Client{
		Transport: transport, Timeout: sendTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Message is an alert as receivers and people get it.
type Message struct {
	ID      string            `json:"id" doc:"the same when it is sent again"`
	Office  string            `json:"office" doc:"000000: the installation"`
	Kind    string            `json:"kind"`
	Subject string            `json:"subject,omitempty" doc:"internal key of an account, terminal, tree or node"`
	FirstAt time.Time         `json:"first_at"`
	LastAt  time.Time         `json:"last_at"`
	Count   int               `json:"count"`
	Facts   map[string]string `json:"facts,omitempty" doc:"codes and counts"`
}

// Message returns what is told of the alert.
func (a Alert) Message() Message {
	return Message{a.ID, a.Office, a.Kind, a.Subject, a.FirstAt, a.LastAt, a.Count, a.Facts}
}

// errAnswer tells that the receiver answered but did not take the alert.
var errAnswer = errors.New("watch: the receiver did not take the alert")

func (r *Receiver) send(ctx context.Context, a Alert) error {
	body, err := json.Marshal(a.Message())
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", a.ID)
	answer, err := r.client.Do(request)
	var told *url.Error
	if errors.As(err, &told) {
		return told.Err // without the address, which may hold a secret
	}
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, 4096) // so that the connection can be used again
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("%w: status %d", errAnswer, answer.StatusCode)
	}
	return nil
}

// sendAtOnce bounds the alerts that are sent in one step.
const sendAtOnce = 100

// deliver sends what was not taken yet; what is not taken now is sent again with
// the next step.
func (s *Service) deliver(ctx context.Context, logger *slog.Logger) error {
	list, err := s.Store.UndeliveredAlerts(ctx, sendAtOnce)
	if err != nil {
		return err
	}
	for _, a := range list {
		if led, err := s.lead(ctx, func(context.Context) error { return nil }); err != nil || !led {
			return err
		}
		err := s.Send.send(ctx, a)
		if errors.Is(err, errAnswer) {
			logger.Error("alert", "id", a.ID, "error", err.Error())
			continue
		}
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		err = s.Store.Alerting(ctx, a.Office, func(ctx context.Context) error { return s.Store.KeepDelivered(ctx, a.Office, a.ID, now) })
		if err != nil {
			return err
		}
	}
	return nil
}
