// SPDX-License-Identifier: Apache-2.0

// Package quota counts what client connections take of what all of them share: connections, pending requests and kept
// bytes of one config, and open files of the whole process. It knows no protocol and no session.
//
// A [Total] is one such number. A connection takes of it through a [Share], which moves the total in chunks as long as
// there is plenty. The connections of one client address have a [Source] in common, which may have only a part of what
// all others leave. [Connection] is everything that one client connection takes.
package quota
