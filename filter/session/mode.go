// SPDX-License-Identifier: Apache-2.0

package session

import (
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/codec/requests"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/directory"
	"github.com/envoy-rocketmq-proxy/envoy-rocketmq-proxy/filter/framing"
)

// mode is what a client connection is for. It is chosen once, in New; everything in which connections differ is behind it.
// The modes are single, shared and envoyRouted. Methods are called with the session locked.
type mode interface {
	// open opens the session, or closes it if what it needs may not be reached. It returns false if that is not known yet.
	open() bool
	// await is called when the session begins to wait for the directory.
	await()
	// follow ends an open session whose destination is elsewhere now. It is called when the client sends something and when
	// the session is woken.
	follow()
	// openUnknown opens or closes a session that has waited for long enough.
	openUnknown()
	// close gives up what the mode holds. Nobody is left to answer.
	close()
	// ownFiles returns how many files are open as long as the session is.
	ownFiles() int
	// wholeFrames reports whether frames are judged complete only, since those of several upstreams meet.
	wholeFrames() bool

	// effectiveCode returns the code that decides what a request is.
	effectiveCode(h *codec.Header) requests.Code
	// needsBody reports whether a request of a kind must be complete to be judged.
	needsBody(kind *requests.Type) bool
	// request decides where an admitted request goes.
	request(kind *requests.Type, f framing.Frame) framing.Verdict
	// deadlineOf returns when the time of a request is over that may wait at the broker for so long.
	deadlineOf(kind *requests.Type, wait Instant) Instant
	// reads returns what reads the answer to a request that goes to u, and whether the client gets another body than a
	// successful one has.
	reads(u *upstream, kind *requests.Type, h *codec.Header) (onAnswer func(framing.Frame), rewritten bool)
	// answer decides about an answer to p; nil: it is not expected.
	answer(u *upstream, p *pending, f framing.Frame) framing.Verdict
	// advertised is called when the client has got addresses of these brokers: by the route of a topic, or by another answer
	// if that is empty.
	advertised(cluster *directory.Directory, topic string, brokers []string)
	// likelyBrokers returns where to register a client that has got no route through this connection.
	likelyBrokers() []target
	// brokerRequest decides about a request of a broker.
	brokerRequest(u *upstream, f framing.Frame) framing.Verdict
	// clientAnswer decides about the client's answer to a request of a broker.
	clientAnswer(f framing.Frame) framing.Verdict
	// holdRefusal keeps the refusal of a request for later. It returns false if the request is to be answered at once.
	holdRefusal(h *codec.Header, refusal *codec.Reply) bool
	// fail ends a request that waits at u and gets no answer there.
	fail(u *upstream, opaque int32, p *pending, why failure)
	// expire ends what else is past its deadline, and returns the next deadline.
	expire() Instant

	upstreams
}

// upstreams is the part of a mode that is about connections to brokers and name servers.
type upstreams interface {
	// mayReach returns why no connection leads to an address; nil: one may.
	mayReach(to target, address string) *codec.Reply
	// crowded reports whether a new connection to an address would have to wait for others to end.
	crowded(to target, address string) bool
	// mayDial reports whether u may be dialled now. If not, the mode dials it later.
	mayDial(u *upstream) bool
	// dialNext opens u, which could not be opened, to another address, and reports whether there is one.
	dialNext(u *upstream) bool
	// connectTimeout returns how long u may take to open.
	connectTimeout(u *upstream) Instant
	// failures returns what requests get whose upstream connection fails.
	failures() *failures
	// mayQueue returns why a request may not wait until u is open; nil: it may.
	mayQueue(u *upstream) *codec.Reply
	// canWrite reports whether u can take n bytes more, of a frame that is about to be written.
	canWrite(u *upstream, n int) bool
	// upstreamFull notes that u takes nothing now, or does again, and reports whether requests for u are refused meanwhile.
	upstreamFull(u *upstream, full bool) bool
	// stopsReading reports whether the client may be left unread because an upstream does not take what it sends.
	stopsReading() bool
	// upstreamLost is called when the session has lost u.
	upstreamLost(u *upstream, why failure)
	// forget is called when u leaves the session.
	forget(u *upstream)
	// isNameServer reports whether a connection leads to a name server, whose word about brokers counts for all sessions.
	isNameServer(to target, address string) bool
	// describe returns how the log calls where a connection leads to.
	describe(to target) logTarget
}
