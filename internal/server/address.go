package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// proxies are the networks whose X-Forwarded-For is believed (S-007).
type proxies []netip.Prefix

func (p proxies) trust(a netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(a) })
}

// clientAddress is who made the request: the other side of the connection, or
// behind trusted proxies the last address that none of them has. A header that
// holds anything else is not believed at all.
func (p proxies) clientAddress(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "unknown"
	}
	client := peer.Addr().Unmap()
	if !p.trust(client) {
		return client.String()
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if client = a.Unmap().WithZone(""); !p.trust(client) {
			break
		}
	}
	return client.String()
}

// maxConnections is how many connections one address may have open on one face: an
// office behind one address has hundreds, who opens more starves others (S-008).
const maxConnections = 512

// crowd is a listener that closes what one address opens beyond its bound; trusted
// proxies have none.
type crowd struct {
	net.Listener
	most    int
	proxies proxies
	mu      sync.Mutex
	open    map[netip.Addr]int
}

func newCrowd(l net.Listener, most int, trusted proxies) *crowd {
	return &crowd{Listener: l, most: most, proxies: trusted, open: map[netip.Addr]int{}}
}

func (c *crowd) Accept() (net.Conn, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
		if !ok {
			return conn, nil
		}
		from := tcp.AddrPort().Addr().Unmap()
		switch {
		case c.proxies.trust(from):
			return conn, nil
		case c.enter(from):
			return &counted{Conn: conn, leave: sync.OnceFunc(func() { c.leave(from) })}, nil
		}
		_ = conn.Close()
	}
}

func (c *crowd) enter(a netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[a] >= c.most {
		return false
	}
	c.open[a]++
	return true
}

func (c *crowd) leave(a netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[a]--; c.open[a] == 0 {
		delete(c.open, a)
	}
}

// counted is a connection that gives its place back when it is closed.
type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
