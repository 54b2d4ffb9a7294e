/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol between entralogind and its clients. This header is the specification.
 *
 * TRANSPORT
 *   Unix sockets of type SOCK_SEQPACKET: one message is one frame. A client connects, sends one request, receives one
 *   reply and closes. The server sends nothing of its own accord.
 *
 *   control.sock     every verb; only root and the daemon may open its inode (mode 0600)
 *   principals.sock  ENTRALOGIN_CHECK_CERTIFICATE only; group entralogin-ssh (mode 0660)
 *
 *   The server authorises each verb by SO_PEERCRED. A client checks the server too: the folder is owned by root and
 *   writable only by root, the inode is a socket, and SO_PEERCRED names root or the owner of that inode.
 *
 * DATA TYPES (big-endian)
 *   u16, u32   unsigned integers
 *   string     u16 length, then that many bytes, none of them NUL; UTF-8 if it is text
 *   document   u32 length, then that many bytes; UTF-8
 *
 * FRAME
 *   u32 magic    ENTRALOGIN_MAGIC
 *   u16 version  ENTRALOGIN_VERSION; a server answers another version with ENTRALOGIN_STATUS_VERSION
 *   u16 opcode   the verb; a reply carries the same opcode with ENTRALOGIN_REPLY set
 *   u32 length   bytes of payload that follow; header and payload together at most ENTRALOGIN_FRAME_MAX
 *   payload      fields in the order given for the verb, consumed to the end: left-over bytes are an error
 *
 *   The payload of every reply begins with u16 status. The other fields follow only when the status is
 *   ENTRALOGIN_STATUS_OK, except that ENTRALOGIN_STATUS_REFUSED is followed by: string reason code, string text,
 *   string correlation id.
 */
#ifndef ENTRALOGIN_WIRE_H
#define ENTRALOGIN_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define ENTRALOGIN_MAGIC 0x454e544cu /* "ENTL" */
#define ENTRALOGIN_VERSION 1u
#define ENTRALOGIN_REPLY 0x8000u
#define ENTRALOGIN_FRAME_HEADER 12u
#define ENTRALOGIN_FRAME_MAX 65536u

#define ENTRALOGIN_RUN_FOLDER "/run/entralogin"
#ifndef ENTRALOGIN_CONTROL_SOCKET /* test builds use other paths */
#define ENTRALOGIN_CONTROL_SOCKET "/run/entralogin/control.sock"
#endif
#ifndef ENTRALOGIN_PRINCIPALS_SOCKET
#define ENTRALOGIN_PRINCIPALS_SOCKET "/run/entralogin/principals.sock"
#endif

/* One absolute deadline for a whole exchange, in milliseconds. */
#define ENTRALOGIN_NSS_DEADLINE_MS 200
#define ENTRALOGIN_PRINCIPALS_DEADLINE_MS 1000
#define ENTRALOGIN_PAM_DEADLINE_MS 10000
/* The account stage of cron, atd and systemd-user, in the job's own process, before Azure's first answer about the
   account. Below the 90 s that systemd gives a user manager to start (systemd-system.conf(5), DefaultTimeoutStartSec=). */
#define ENTRALOGIN_BATCH_DEADLINE_MS 60000
#define ENTRALOGIN_TOOL_DEADLINE_MS 20000

/* Longest fields, in bytes. An OpenSSH certificate with an RSA-8192 key and CA is below 6 KiB before base64. */
#define ENTRALOGIN_HOME_MAX 255u
#define ENTRALOGIN_CERTIFICATE_MAX 16384u
#define ENTRALOGIN_AUTH_INFO_MAX 32768u

/* Status of a reply. */
#define ENTRALOGIN_STATUS_OK 0u          /* the fields of the verb follow */
#define ENTRALOGIN_STATUS_NOT_FOUND 1u   /* no Entra account or group has that name */
#define ENTRALOGIN_STATUS_REFUSED 2u     /* refused by a decision; reason code, text and correlation id follow */
#define ENTRALOGIN_STATUS_UNAVAILABLE 3u /* cannot be decided now */
#define ENTRALOGIN_STATUS_FORBIDDEN 4u   /* this peer may not use this verb */
#define ENTRALOGIN_STATUS_MALFORMED 5u   /* the request could not be read */
#define ENTRALOGIN_STATUS_VERSION 6u     /* the versions of client and server differ: restart entralogind */

/*
 * ENTRALOGIN_LOOK_UP_NAME: a name that the snapshot does not hold. Peer: root.
 *   request   string name, string command (comm of the asking process, prctl(2) PR_GET_NAME)
 *   reply     u32 uid, u32 gid, string name, string gecos, string home, string shell
 * The record is provisional unless the user was enrolled a moment ago. No side effects, no network.
 */
#define ENTRALOGIN_LOOK_UP_NAME 0x0101u

/*
 * ENTRALOGIN_CHECK_CERTIFICATE: what sshd passes to AuthorizedPrincipalsCommand. Peer: entralogin-ssh, root.
 *   request   string user (%u), u32 uid (%U), string home (%h), string key type (%t), string certificate in base64 (%k),
 *             u32 pid of the parent (the sshd process)
 *   reply     string principal: the line to print
 */
#define ENTRALOGIN_CHECK_CERTIFICATE 0x0201u

/* Below, some comments continue on the next line, which the formatter would break. */
/* clang-format off */

/* Flags of the PAM requests. */
#define ENTRALOGIN_PAM_HOLDS_ADMIN_GROUP 0x0001u /* the process has the administrators' gid among its groups */
#define ENTRALOGIN_PAM_IN_SSHD 0x0002u           /* the process is an sshd, whatever its service name says */
#define ENTRALOGIN_PAM_WAITS 0x0004u             /* a batch service that can wait: ENTRALOGIN_VERDICT_PENDING is possible */
#define ENTRALOGIN_PAM_NAME_TAKEN 0x0008u        /* from sshd only: the account's short name leads to another user's record;
                                                    the module refuses whatever the verdict is */
#define ENTRALOGIN_NO_ID 0xffffffffu             /* u32 uid: no user */
#define ENTRALOGIN_ANOTHERS_ID 0xfffffffeu       /* u32 uid of a user: in the id range, but of another name service */

/*
 * ENTRALOGIN_AUTHORIZE: the account stage. Peer: root. No effects.
 *   request   string service, string user (PAM_USER), u32 uid and string home as NSS gives them for that name,
 *             string invoking user (PAM_RUSER or empty), u32 invoking uid or ENTRALOGIN_NO_ID,
 *             u16 flags, string terminal (PAM_TTY or empty), string remote host (PAM_RHOST or empty)
 *             sudo's plugin, which has no terminal, sends in that field the group of [Groups] that it asks about (empty:
 *             the administrators' group)
 *   reply     u16 verdict, string text for the user (may be empty)
 */
#define ENTRALOGIN_AUTHORIZE 0x0301u
#define ENTRALOGIN_VERDICT_ALLOW 0u
#define ENTRALOGIN_VERDICT_DENY 1u
#define ENTRALOGIN_VERDICT_IGNORE 2u      /* no Entra account is concerned */
#define ENTRALOGIN_VERDICT_UNDECIDABLE 3u /* an Entra account is concerned, but no decision was possible: deny */
#define ENTRALOGIN_VERDICT_PENDING 4u     /* Azure has not answered yet; sent only for a request with
                                             ENTRALOGIN_PAM_WAITS, at once and unrecorded; the client may ask again */
/* The daemon creates this empty file when Azure has answered for the first time since boot, and renames another over it
   when a user manager that was refused may be started. Modules check whether it exists. */
#ifndef ENTRALOGIN_ANSWERED
#define ENTRALOGIN_ANSWERED "/run/entralogin/nss/answered"
#endif

/* What is at the home's path; a link there is not followed. */
#define ENTRALOGIN_HOME_ABSENT 0u
#define ENTRALOGIN_HOME_FOLDER 1u  /* a real folder; its owner's uid is given */
#define ENTRALOGIN_HOME_STRANGE 2u /* a link, a file, or below a folder that users other than root can write */

/*
 * ENTRALOGIN_OPEN_SESSION: sshd is about to open the session. Peer: root. Enrols, publishes, grants.
 *   request   string service, string user, u32 uid, u32 gid, string home,
 *             u16 state of the home, u32 owner of the home or ENTRALOGIN_NO_ID; if the state is ENTRALOGIN_HOME_STRANGE
 *             because users other than root can write a folder on the way: how many bytes of the home's path name it,
 *             string SSH_AUTH_INFO_0 (sshd's PAM environment; at most ENTRALOGIN_AUTH_INFO_MAX),
 *             string remote host
 *   reply     u16 verdict, string text
 */
#define ENTRALOGIN_OPEN_SESSION 0x0302u

/*
 * ENTRALOGIN_CLOSE_SESSION: the session that this process opened has ended. Peer: root.
 *   request   string user, u32 uid
 *   reply     nothing further
 */
#define ENTRALOGIN_CLOSE_SESSION 0x0303u

/*
 * ENTRALOGIN_BEGIN_DEVICE: the auth stage; a user at a terminal wants to sign in with a code that is typed on another
 * device. Peer: root. Asks Entra for a code; changes no stored state.
 *   request   string service, string user, u32 uid and string home as NSS gives them, u16 flags, string terminal,
 *             string remote host, u32 real uid of the process
 *   reply     u16 verdict, string text, string handle, u32 seconds
 * ENTRALOGIN_AWAIT_DEVICE: waits until the sign-in ends, at most ENTRALOGIN_DEVICE_WAIT_MS. Peer: root, the same
 * process.
 *   request   string handle
 *   reply     as above
 * While the sign-in is pending, text tells the user what to do (in the first reply only), handle identifies the
 * sign-in, and seconds is the time left. Otherwise handle is empty and seconds is 0.
 */
#define ENTRALOGIN_BEGIN_DEVICE 0x0304u
#define ENTRALOGIN_AWAIT_DEVICE 0x0305u
#define ENTRALOGIN_PROGRESS_PENDING 4u      /* in addition to the verdicts */
#define ENTRALOGIN_DEVICE_WAIT_MS 5000      /* below ENTRALOGIN_PAM_DEADLINE_MS */
#define ENTRALOGIN_DEVICE_SECONDS_MAX 900u  /* no sign-in with a code lasts longer, whatever the daemon says */
#define ENTRALOGIN_HANDLE_MAX 64u

/*
 * Verbs of entraloginctl. Peer: root. Queries reply with one document: JSON, described in entraloginctl(1). Commands
 * that change something (flush, retire, lock, unlock, rebind, rename, set shell, set home) reply with nothing further.
 */
#define ENTRALOGIN_STATUS_REPORT 0x0401u   /* request: nothing */
#define ENTRALOGIN_USERS 0x0402u           /* request: string name after which to begin (empty: from the start) */
#define ENTRALOGIN_EXPLAIN 0x0403u         /* request: string name */
#define ENTRALOGIN_TEST_CERTIFICATE 0x0404u /* request: string user (empty: the certificate's principal), string
                                               certificate ("type base64"); no effects, nothing remembered */
#define ENTRALOGIN_FLUSH 0x0405u           /* request: nothing; forgets cached decisions */
#define ENTRALOGIN_RETIRE 0x0406u          /* request: string name */
#define ENTRALOGIN_SHOW_USER 0x0407u       /* request: string name, present or former, or uid in decimal digits */
#define ENTRALOGIN_REBIND 0x0408u          /* request: string name, string object id that the account gets */
#define ENTRALOGIN_RENAME 0x0409u          /* request: string name, string new name */
#define ENTRALOGIN_CHECK 0x040au           /* request: string name, string object id (empty: the account's); asks Azure
                                              now, through every checker; the answer gives no access */
#define ENTRALOGIN_SESSIONS 0x040bu        /* request: nothing; the open sessions that the daemon knows */
#define ENTRALOGIN_KEYS 0x040cu            /* request: nothing; the CA keys that are trusted */
#define ENTRALOGIN_SET_SHELL 0x040du       /* request: string name, string absolute path */
#define ENTRALOGIN_SET_HOME 0x040eu        /* request: string name, string absolute path */
#define ENTRALOGIN_END_SESSIONS 0x0410u    /* request: string name, present or former, uid in digits, or object id; ends
                                              every process of the account, and replies with a document */
#define ENTRALOGIN_REFRESH_KEYS 0x0411u    /* request: nothing; fetches the CA keys now, and replies as ENTRALOGIN_KEYS */
#define ENTRALOGIN_LOCK 0x0412u            /* request: as ENTRALOGIN_END_SESSIONS; the account is refused until unlocked */
#define ENTRALOGIN_UNLOCK 0x0413u          /* request: as ENTRALOGIN_END_SESSIONS */
#define ENTRALOGIN_ACCESS 0x0414u          /* request: nothing; asks Azure now who holds a login role on this machine */
#define ENTRALOGIN_SETTINGS 0x0415u        /* request: nothing; the settings that the daemon uses */
#define ENTRALOGIN_ADD 0x0416u             /* request: string name, string object id, string local groups that the account
                                              will join (names separated by commas); binds an account before its user's
                                              first sign-in, and replies with a document */

/*
 * ENTRALOGIN_AUDIT_EVENT: an event for the Linux audit system, which the daemon sends to audit-events as one datagram
 * (SOCK_DGRAM) to ENTRALOGIN_AUDIT_SOCKET, whose inode only the daemon may open (mode 0600). No reply. The receiver
 * accepts it from the inode's owner only (SCM_CREDENTIALS), and ignores everything that does not have exactly this
 * form.
 *   message   u16 event, u16 result (1: success, 0: failed), string name, string object id, string service,
 *             string reason code, string group, string correlation id; each may be empty
 */
#define ENTRALOGIN_AUDIT_EVENT 0x0501u
#define ENTRALOGIN_AUDIT_MAX 1024u  /* bytes of a whole message */
#define ENTRALOGIN_AUDIT_FIELD_MAX 128u /* bytes of one string in it */
#ifndef ENTRALOGIN_AUDIT_SOCKET
#define ENTRALOGIN_AUDIT_SOCKET "/run/entralogin/audit.sock"
#endif
/* What happened; each has its type and operation in audit-events' table. */
#define ENTRALOGIN_AUDIT_CERTIFICATE 1u /* a certificate was evaluated */
#define ENTRALOGIN_AUDIT_ACCOUNT 2u     /* PAM's account stage was decided */
#define ENTRALOGIN_AUDIT_SESSION 3u     /* a sign-in's session stage was decided */
#define ENTRALOGIN_AUDIT_GRANTED 4u     /* membership of the administrators' group began */
#define ENTRALOGIN_AUDIT_WITHDRAWN 5u   /* that membership ended before its time */
#define ENTRALOGIN_AUDIT_DEVICE 6u      /* a sign-in with a code ended */
#define ENTRALOGIN_AUDIT_ENDED 7u       /* the processes of an account were ended */

/*
 * ENTRALOGIN_END_ACCOUNT: end every process of one Entra account. From the daemon to end-sessions, over
 * ENTRALOGIN_SESSIONS_SOCKET (SOCK_SEQPACKET), whose inode only the daemon may open (mode 0600). The server accepts it
 * from that inode's owner only (SO_PEERCRED), and checks in root's files whose uid it is.
 *   request   u32 uid, u16 cause, string name of the account, under which subuid(5) lists the other uids that it has
 *   reply     u32 processes ended, u32 processes of the account that still live, u16 number of processes of other uids that
 *             the account's sessions started and that were not ended (at most 32 are listed); for each of them: u32 pid,
 *             u32 uid, string command
 * Status ENTRALOGIN_STATUS_FORBIDDEN: the uid is not an Entra account's. ENTRALOGIN_STATUS_UNAVAILABLE: the processes
 * of this machine cannot be seen. In both cases nothing was done.
 */
#define ENTRALOGIN_END_ACCOUNT 0x0601u
#define ENTRALOGIN_END_ROLE 1u     /* Azure no longer gives a login role */
#define ENTRALOGIN_END_RETIRED 2u  /* the account was retired */
#define ENTRALOGIN_END_REVOKED 3u  /* a key or certificate of a session was revoked */
#define ENTRALOGIN_END_COMMAND 4u  /* an administrator's command */
#define ENTRALOGIN_END_DISABLED 5u /* the account is disabled in Entra, or deleted */
#define ENTRALOGIN_END_DEADLINE_MS 15000 /* below ENTRALOGIN_TOOL_DEADLINE_MS; the server ends one account in 6 s at most */
#ifndef ENTRALOGIN_SESSIONS_SOCKET
#define ENTRALOGIN_SESSIONS_SOCKET "/run/entralogin/sessions.sock"
#endif

/* clang-format on */

/* --- The cursor of C clients, for requests and replies. A call that does not fit sets `bad` and changes nothing. --- */

struct entralogin_writer {
    unsigned char *bytes;
    size_t capacity, used;
    int bad;
};

struct entralogin_reader {
    const unsigned char *bytes;
    size_t size, used;
    int bad;
};

/* Begins a request frame in `bytes`; entralogin_finish fills in the length and returns the frame's size, 0 if bad. */
void entralogin_begin(struct entralogin_writer *w, void *bytes, size_t capacity, uint16_t opcode);
void entralogin_put_u16(struct entralogin_writer *w, uint16_t value);
void entralogin_put_u32(struct entralogin_writer *w, uint32_t value);
void entralogin_put_string(struct entralogin_writer *w, const char *text);
size_t entralogin_finish(struct entralogin_writer *w);

/*
 * Begins to read a reply to `opcode`. Returns its status, or -1 if the frame is not a reply to it.
 * entralogin_get_string borrows: the returned pointer points into the frame, and the string is not NUL-terminated.
 * entralogin_consumed is true when every byte was read and nothing was bad.
 */
int entralogin_open_reply(struct entralogin_reader *r, const void *bytes, size_t size, uint16_t opcode);
uint16_t entralogin_get_u16(struct entralogin_reader *r);
uint32_t entralogin_get_u32(struct entralogin_reader *r);
const char *entralogin_get_string(struct entralogin_reader *r, size_t *ret_length);
int entralogin_consumed(const struct entralogin_reader *r);

#endif
