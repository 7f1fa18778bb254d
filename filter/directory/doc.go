// SPDX-License-Identifier: Apache-2.0

// Package directory knows where brokers are: broker name and id to address, and topic to brokers.
//
// It hears of them from several sources and keeps apart what each has said last:
//
//   - the cluster lists of the name servers, all of which it asks at the start, at intervals, and when a session misses
//     a broker or cannot reach one;
//   - the routes and cluster lists that pass through the sessions on their way to clients.
//
// One rule says which source is believed:
//
//   - A broker is where the cluster lists say. Where they disagree, the list of the first name server counts that has the
//     broker; the first stays the first as long as it can be reached. So a broker does not move back and forth between
//     two name servers.
//   - A route counts for a broker that no list has. One that says otherwise than the lists makes the directory ask for
//     them again at once. While no name server answers the directory, a route counts over the lists that are older.
//   - A slave may act for a master that is gone: routes then have it with id 0, lists with its own. It is known by both,
//     if the list says that it may act.
//   - A topic is on the brokers of the last routes of every source together: each name server, and each zone of clients,
//     may show another part of them.
//   - What a source does not say any more counts for a while. A refresh without an answer changes nothing.
//
// What is known is an immutable [Snapshot] behind an atomic pointer, so that a session looks an address up without a lock.
package directory
