/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, opened at run time.
 *
 * Debian's libcurl carries symbol versions (CURL_OPENSSL_4), others carry none: a program linked to the one does not
 * start with the other. So libcurl.so.4 is opened by name when it is needed, and a machine without it is an error that
 * can be named instead of a program that does not start. libcurl 7.54 or newer
 * (CURLOPT_SUPPRESS_CONNECT_HEADERS).
 *
 * curl_easy_setopt and its like are variadic, which Swift cannot call: here is a typed function for each kind of
 * argument. The numbers below are part of libcurl's stable ABI; CCurl.c compares them with curl/curl.h.
 *
 * This header includes nothing of libc on purpose: types of libc seen through two modules do not match in Swift.
 */
#ifndef ENTRALOGIN_CCURL_H
#define ENTRALOGIN_CCURL_H

/* Nullability is for Swift's importer; gcc does not know the words. */
#ifndef __clang__
#define _Nullable
#define _Nonnull
#endif

/* The functions of one opened libcurl; lives until the process ends. */
typedef struct ccurl_library ccurl_library;
/* CURL, CURLM, struct curl_slist. */
typedef struct ccurl_easy ccurl_easy;
typedef struct ccurl_multi ccurl_multi;
typedef struct ccurl_list ccurl_list;

/* What a callback gets: `count` bytes at `bytes`. Returning another number than `count` ends the transfer. */
typedef unsigned long (*_Nonnull ccurl_sink)(
    char *_Nullable bytes, unsigned long one, unsigned long count, void *_Nullable context);

/* CURLoption, as far as it is used. */
#define CCURL_POST 47
#define CCURL_SSLVERSION 32
#define CCURL_PROXY_SSLVERSION 250
#define CCURL_FOLLOWLOCATION 52
#define CCURL_POSTFIELDSIZE 60
#define CCURL_SSL_VERIFYPEER 64
#define CCURL_SSL_VERIFYHOST 81
#define CCURL_HTTP_VERSION 84
#define CCURL_NOSIGNAL 99
#define CCURL_BUFFERSIZE 98
#define CCURL_TIMEOUT_MS 155
#define CCURL_CONNECTTIMEOUT_MS 156
#define CCURL_PROTOCOLS 181
#define CCURL_SUPPRESS_CONNECT_HEADERS 265
#define CCURL_QUICK_EXIT 322
#define CCURL_WRITEDATA 10001
#define CCURL_URL 10002
#define CCURL_PROXY 10004
#define CCURL_ERRORBUFFER 10010
#define CCURL_USERAGENT 10018
#define CCURL_HTTPHEADER 10023
#define CCURL_HEADERDATA 10029
#define CCURL_CAINFO 10065
#define CCURL_PROXY_CAINFO 10246
#define CCURL_PRIVATE 10103
#define CCURL_COPYPOSTFIELDS 10165
#define CCURL_NOPROXY 10177
#define CCURL_PROTOCOLS_STR 10318
#define CCURL_WRITEFUNCTION 20011
#define CCURL_HEADERFUNCTION 20079

/* Values of options. */
#define CCURL_SSLVERSION_TLSV1_2 6
#define CCURL_HTTP_VERSION_1_1 2
#define CCURL_PROTOCOLS_HTTP_AND_HTTPS 3
#define CCURL_ERROR_SIZE 256

/* CURLMoption. */
#define CCURL_MULTI_MAXCONNECTS 6
#define CCURL_MULTI_MAX_HOST_CONNECTIONS 7

/* CURLcode, as far as they are distinguished. */
#define CCURL_OK 0
#define CCURL_UNSUPPORTED_PROTOCOL 1
#define CCURL_URL_MALFORMAT 3
#define CCURL_NOT_BUILT_IN 4
#define CCURL_COULDNT_RESOLVE_PROXY 5
#define CCURL_COULDNT_RESOLVE_HOST 6
#define CCURL_COULDNT_CONNECT 7
#define CCURL_WEIRD_SERVER_REPLY 8
#define CCURL_PARTIAL_FILE 18
#define CCURL_WRITE_ERROR 23
#define CCURL_OUT_OF_MEMORY 27
#define CCURL_OPERATION_TIMEDOUT 28
#define CCURL_SSL_CONNECT_ERROR 35
#define CCURL_BAD_FUNCTION_ARGUMENT 43
#define CCURL_UNKNOWN_OPTION 48
#define CCURL_GOT_NOTHING 52
#define CCURL_SEND_ERROR 55
#define CCURL_RECV_ERROR 56
#define CCURL_BAD_CONTENT_ENCODING 61
#define CCURL_TOO_LARGE 100

/*
 * Opens the library `name` and initialises it; once a process, before other threads use it. Null on failure: then
 * *problem is a text that lives as long as the process or until dlerror(3) is next called.
 */
ccurl_library *_Nullable ccurl_open(const char *_Nonnull name, const char *_Nullable *_Nonnull problem);

ccurl_easy *_Nullable ccurl_easy_init(const ccurl_library *_Nonnull library);
void ccurl_easy_reset(const ccurl_library *_Nonnull library, ccurl_easy *_Nonnull easy);
void ccurl_easy_cleanup(const ccurl_library *_Nonnull library, ccurl_easy *_Nonnull easy);
/* The library's own text for a CURLcode. */
const char *_Nonnull ccurl_error_text(const ccurl_library *_Nonnull library, int code);

/* Each returns a CURLcode. Texts and posted bytes are copied; other pointers must outlive the transfer. */
int ccurl_set_number(const ccurl_library *_Nonnull library, ccurl_easy *_Nonnull easy, int option, long value);
int ccurl_set_text(
    const ccurl_library *_Nonnull library, ccurl_easy *_Nonnull easy, int option, const char *_Nonnull value);
int ccurl_set_pointer(
    const ccurl_library *_Nonnull library, ccurl_easy *_Nonnull easy, int option, void *_Nullable value);
int ccurl_set_list(
    const ccurl_library *_Nonnull library, ccurl_easy *_Nonnull easy, int option, ccurl_list *_Nullable value);
int ccurl_set_sink(const ccurl_library *_Nonnull library, ccurl_easy *_Nonnull easy, int option, ccurl_sink value);
/* POSTFIELDSIZE and COPYPOSTFIELDS, in the order that libcurl wants. */
int ccurl_set_body(
    const ccurl_library *_Nonnull library, ccurl_easy *_Nonnull easy, const void *_Nonnull bytes, long count);
/* CURLINFO_RESPONSE_CODE; 0 where there was none. */
long ccurl_response_code(const ccurl_library *_Nonnull library, ccurl_easy *_Nonnull easy);

/* The errno of the last failed connect(2); 0 where there is none. */
long ccurl_os_error(const ccurl_library *_Nonnull library, ccurl_easy *_Nonnull easy);

/* Appends a copy of `text`; null where memory is short, and then `list` is as before. */
ccurl_list *_Nullable ccurl_list_append(
    const ccurl_library *_Nonnull library, ccurl_list *_Nullable list, const char *_Nonnull text);
void ccurl_list_free(const ccurl_library *_Nonnull library, ccurl_list *_Nullable list);

ccurl_multi *_Nullable ccurl_multi_init(const ccurl_library *_Nonnull library);
void ccurl_multi_cleanup(const ccurl_library *_Nonnull library, ccurl_multi *_Nonnull multi);
/* Each returns a CURLMcode, 0 for success. */
int ccurl_multi_set_number(const ccurl_library *_Nonnull library, ccurl_multi *_Nonnull multi, int option, long value);
int ccurl_multi_add(const ccurl_library *_Nonnull library, ccurl_multi *_Nonnull multi, ccurl_easy *_Nonnull easy);
int ccurl_multi_remove(const ccurl_library *_Nonnull library, ccurl_multi *_Nonnull multi, ccurl_easy *_Nonnull easy);
int ccurl_multi_perform(const ccurl_library *_Nonnull library, ccurl_multi *_Nonnull multi, int *_Nonnull running);
int ccurl_multi_poll(const ccurl_library *_Nonnull library, ccurl_multi *_Nonnull multi, int milliseconds);
/* Ends the poll that runs, or else the next one. From any thread. */
int ccurl_multi_wakeup(ccurl_multi *_Nonnull multi);
/* The next transfer that has ended, and its CURLcode; null when there is none. */
ccurl_easy *_Nullable ccurl_multi_next_done(
    const ccurl_library *_Nonnull library, ccurl_multi *_Nonnull multi, int *_Nonnull code);

#endif
