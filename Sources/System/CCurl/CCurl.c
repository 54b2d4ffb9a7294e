/* SPDX-License-Identifier: Apache-2.0 */
#include "CCurl.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <dlfcn.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* The variadic functions are wanted as they are, not behind the compiler-specific type checks. */
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define SAME(value, curls) _Static_assert((long)(value) == (long)(curls), #curls)

SAME(CCURL_POST, CURLOPT_POST);
SAME(CCURL_SSLVERSION, CURLOPT_SSLVERSION);
SAME(CCURL_FOLLOWLOCATION, CURLOPT_FOLLOWLOCATION);
SAME(CCURL_POSTFIELDSIZE, CURLOPT_POSTFIELDSIZE);
SAME(CCURL_SSL_VERIFYPEER, CURLOPT_SSL_VERIFYPEER);
SAME(CCURL_SSL_VERIFYHOST, CURLOPT_SSL_VERIFYHOST);
SAME(CCURL_HTTP_VERSION, CURLOPT_HTTP_VERSION);
SAME(CCURL_NOSIGNAL, CURLOPT_NOSIGNAL);
SAME(CCURL_BUFFERSIZE, CURLOPT_BUFFERSIZE);
SAME(CCURL_TIMEOUT_MS, CURLOPT_TIMEOUT_MS);
SAME(CCURL_CONNECTTIMEOUT_MS, CURLOPT_CONNECTTIMEOUT_MS);
SAME(CCURL_SUPPRESS_CONNECT_HEADERS, CURLOPT_SUPPRESS_CONNECT_HEADERS);
SAME(CCURL_WRITEDATA, CURLOPT_WRITEDATA);
SAME(CCURL_URL, CURLOPT_URL);
SAME(CCURL_PROXY, CURLOPT_PROXY);
SAME(CCURL_ERRORBUFFER, CURLOPT_ERRORBUFFER);
SAME(CCURL_USERAGENT, CURLOPT_USERAGENT);
SAME(CCURL_HTTPHEADER, CURLOPT_HTTPHEADER);
SAME(CCURL_HEADERDATA, CURLOPT_HEADERDATA);
SAME(CCURL_CAINFO, CURLOPT_CAINFO);
SAME(CCURL_PROXY_CAINFO, CURLOPT_PROXY_CAINFO);
SAME(CCURL_PROXY_SSLVERSION, CURLOPT_PROXY_SSLVERSION);
SAME(CCURL_PRIVATE, CURLOPT_PRIVATE);
SAME(CCURL_COPYPOSTFIELDS, CURLOPT_COPYPOSTFIELDS);
SAME(CCURL_NOPROXY, CURLOPT_NOPROXY);
SAME(CCURL_WRITEFUNCTION, CURLOPT_WRITEFUNCTION);
SAME(CCURL_HEADERFUNCTION, CURLOPT_HEADERFUNCTION);
#if LIBCURL_VERSION_NUM >= 0x075700
SAME(CCURL_QUICK_EXIT, CURLOPT_QUICK_EXIT);
SAME(CCURL_PROTOCOLS_STR, CURLOPT_PROTOCOLS_STR);
#else
SAME(CCURL_PROTOCOLS, CURLOPT_PROTOCOLS);
SAME(CCURL_PROTOCOLS_HTTP_AND_HTTPS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
SAME(CCURL_SSLVERSION_TLSV1_2, CURL_SSLVERSION_TLSv1_2);
SAME(CCURL_HTTP_VERSION_1_1, CURL_HTTP_VERSION_1_1);
SAME(CCURL_ERROR_SIZE, CURL_ERROR_SIZE);
SAME(CCURL_MULTI_MAXCONNECTS, CURLMOPT_MAXCONNECTS);
SAME(CCURL_MULTI_MAX_HOST_CONNECTIONS, CURLMOPT_MAX_HOST_CONNECTIONS);
SAME(CCURL_OK, CURLE_OK);
SAME(CCURL_UNSUPPORTED_PROTOCOL, CURLE_UNSUPPORTED_PROTOCOL);
SAME(CCURL_URL_MALFORMAT, CURLE_URL_MALFORMAT);
SAME(CCURL_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_PROXY);
SAME(CCURL_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_HOST);
SAME(CCURL_COULDNT_CONNECT, CURLE_COULDNT_CONNECT);
SAME(CCURL_WEIRD_SERVER_REPLY, CURLE_WEIRD_SERVER_REPLY);
SAME(CCURL_PARTIAL_FILE, CURLE_PARTIAL_FILE);
SAME(CCURL_WRITE_ERROR, CURLE_WRITE_ERROR);
SAME(CCURL_OUT_OF_MEMORY, CURLE_OUT_OF_MEMORY);
SAME(CCURL_OPERATION_TIMEDOUT, CURLE_OPERATION_TIMEDOUT);
SAME(CCURL_SSL_CONNECT_ERROR, CURLE_SSL_CONNECT_ERROR);
SAME(CCURL_NOT_BUILT_IN, CURLE_NOT_BUILT_IN);
SAME(CCURL_BAD_FUNCTION_ARGUMENT, CURLE_BAD_FUNCTION_ARGUMENT);
SAME(CCURL_UNKNOWN_OPTION, CURLE_UNKNOWN_OPTION);
SAME(CCURL_GOT_NOTHING, CURLE_GOT_NOTHING);
SAME(CCURL_SEND_ERROR, CURLE_SEND_ERROR);
SAME(CCURL_RECV_ERROR, CURLE_RECV_ERROR);
SAME(CCURL_BAD_CONTENT_ENCODING, CURLE_BAD_CONTENT_ENCODING);
#if LIBCURL_VERSION_NUM >= 0x080600
SAME(CCURL_TOO_LARGE, CURLE_TOO_LARGE);
#endif

/* A CURLM and the eventfd that wakes its poll: libcurl has a wake-up of its own only since 7.68. */
struct ccurl_multi {
    CURLM *handle;
    int wakeup;
};

struct ccurl_library {
    CURLcode (*global_init)(long);
    CURL *(*easy_init)(void);
    void (*easy_reset)(CURL *);
    void (*easy_cleanup)(CURL *);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    const char *(*easy_strerror)(CURLcode);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *);
    CURLMcode (*multi_setopt)(CURLM *, CURLMoption, ...);
    CURLMcode (*multi_add_handle)(CURLM *, CURL *);
    CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
    CURLMcode (*multi_perform)(CURLM *, int *);
    CURLMcode (*multi_wait)(CURLM *, struct curl_waitfd *, unsigned int, int, int *);
    CURLMsg *(*multi_info_read)(CURLM *, int *);
};

/* The member for each symbol. POSIX lets dlsym(3) return a function's pointer; ISO C can convert it only by memcpy. */
#define SYMBOL(name) {"curl_" #name, offsetof(struct ccurl_library, name)}
static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
    SYMBOL(global_init),
    SYMBOL(easy_init),
    SYMBOL(easy_reset),
    SYMBOL(easy_cleanup),
    SYMBOL(easy_setopt),
    SYMBOL(easy_getinfo),
    SYMBOL(easy_strerror),
    SYMBOL(slist_append),
    SYMBOL(slist_free_all),
    SYMBOL(multi_init),
    SYMBOL(multi_cleanup),
    SYMBOL(multi_setopt),
    SYMBOL(multi_add_handle),
    SYMBOL(multi_remove_handle),
    SYMBOL(multi_perform),
    SYMBOL(multi_wait),
    SYMBOL(multi_info_read),
};

static int bind_symbols(void *object, struct ccurl_library *library, const char **problem) {
    for (size_t index = 0; index < sizeof symbols / sizeof symbols[0]; index++) {
        void *address = dlsym(object, symbols[index].name);

        if (address == NULL) {
            *problem = dlerror();
            return -1;
        }
        memcpy((char *)library + symbols[index].offset, &address, sizeof address);
    }
    return 0;
}

ccurl_library *ccurl_open(const char *name, const char **problem) {
    void *object = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    struct ccurl_library *library;
    CURLcode code;

    if (object == NULL) {
        *problem = dlerror();
        return NULL;
    }
    library = calloc(1, sizeof *library);
    if (library == NULL) {
        *problem = "out of memory";
        return NULL;
    }
    if (bind_symbols(object, library, problem) != 0) {
        free(library);
        return NULL;
    }
    code = library->global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) {
        *problem = library->easy_strerror(code);
        free(library);
        return NULL;
    }
    return library;
}

/* Names of this file for libcurl's types: the same pointers. */
static CURL *easy_of(ccurl_easy *easy) {
    return (CURL *)easy;
}
static CURLM *multi_of(ccurl_multi *multi) {
    return multi->handle;
}
static struct curl_slist *list_of(ccurl_list *list) {
    return (struct curl_slist *)list;
}

ccurl_easy *ccurl_easy_init(const ccurl_library *library) {
    return (ccurl_easy *)library->easy_init();
}

void ccurl_easy_reset(const ccurl_library *library, ccurl_easy *easy) {
    library->easy_reset(easy_of(easy));
}

void ccurl_easy_cleanup(const ccurl_library *library, ccurl_easy *easy) {
    library->easy_cleanup(easy_of(easy));
}

const char *ccurl_error_text(const ccurl_library *library, int code) {
    return library->easy_strerror((CURLcode)code);
}

int ccurl_set_number(const ccurl_library *library, ccurl_easy *easy, int option, long value) {
    return (int)library->easy_setopt(easy_of(easy), (CURLoption)option, value);
}

int ccurl_set_text(const ccurl_library *library, ccurl_easy *easy, int option, const char *value) {
    return (int)library->easy_setopt(easy_of(easy), (CURLoption)option, value);
}

int ccurl_set_pointer(const ccurl_library *library, ccurl_easy *easy, int option, void *value) {
    return (int)library->easy_setopt(easy_of(easy), (CURLoption)option, value);
}

int ccurl_set_list(const ccurl_library *library, ccurl_easy *easy, int option, ccurl_list *value) {
    return (int)library->easy_setopt(easy_of(easy), (CURLoption)option, list_of(value));
}

int ccurl_set_sink(const ccurl_library *library, ccurl_easy *easy, int option, ccurl_sink value) {
    return (int)library->easy_setopt(easy_of(easy), (CURLoption)option, value);
}

int ccurl_set_body(const ccurl_library *library, ccurl_easy *easy, const void *bytes, long count) {
    CURLcode code = library->easy_setopt(easy_of(easy), CURLOPT_POST, 1L);

    if (code == CURLE_OK)
        code = library->easy_setopt(easy_of(easy), CURLOPT_POSTFIELDSIZE, count);
    if (code == CURLE_OK)
        code = library->easy_setopt(easy_of(easy), CURLOPT_COPYPOSTFIELDS, bytes);
    return (int)code;
}

long ccurl_response_code(const ccurl_library *library, ccurl_easy *easy) {
    long code = 0;

    if (library->easy_getinfo(easy_of(easy), CURLINFO_RESPONSE_CODE, &code) != CURLE_OK)
        return 0;
    return code;
}

long ccurl_os_error(const ccurl_library *library, ccurl_easy *easy) {
    long code = 0;

    if (library->easy_getinfo(easy_of(easy), CURLINFO_OS_ERRNO, &code) != CURLE_OK)
        return 0;
    return code;
}

ccurl_list *ccurl_list_append(const ccurl_library *library, ccurl_list *list, const char *text) {
    return (ccurl_list *)library->slist_append(list_of(list), text);
}

void ccurl_list_free(const ccurl_library *library, ccurl_list *list) {
    library->slist_free_all(list_of(list));
}

ccurl_multi *ccurl_multi_init(const ccurl_library *library) {
    ccurl_multi *multi = calloc(1, sizeof *multi);

    if (multi == NULL)
        return NULL;
    multi->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (multi->wakeup >= 0) {
        multi->handle = library->multi_init();
        if (multi->handle != NULL)
            return multi;
        (void)close(multi->wakeup);
    }
    free(multi);
    return NULL;
}

void ccurl_multi_cleanup(const ccurl_library *library, ccurl_multi *multi) {
    library->multi_cleanup(multi_of(multi));
    (void)close(multi->wakeup);
    free(multi);
}

int ccurl_multi_set_number(const ccurl_library *library, ccurl_multi *multi, int option, long value) {
    return (int)library->multi_setopt(multi_of(multi), (CURLMoption)option, value);
}

int ccurl_multi_add(const ccurl_library *library, ccurl_multi *multi, ccurl_easy *easy) {
    return (int)library->multi_add_handle(multi_of(multi), easy_of(easy));
}

int ccurl_multi_remove(const ccurl_library *library, ccurl_multi *multi, ccurl_easy *easy) {
    return (int)library->multi_remove_handle(multi_of(multi), easy_of(easy));
}

int ccurl_multi_perform(const ccurl_library *library, ccurl_multi *multi, int *running) {
    return (int)library->multi_perform(multi_of(multi), running);
}

int ccurl_multi_poll(const ccurl_library *library, ccurl_multi *multi, int milliseconds) {
    struct curl_waitfd wakeup = {.fd = multi->wakeup, .events = CURL_WAIT_POLLIN};
    CURLMcode code = library->multi_wait(multi_of(multi), &wakeup, 1, milliseconds, NULL);
    eventfd_t count;

    /* Fails, without harm, if no wake-up came. */
    (void)eventfd_read(multi->wakeup, &count);
    return (int)code;
}

int ccurl_multi_wakeup(ccurl_multi *multi) {
    /* A full counter wakes as well. */
    (void)eventfd_write(multi->wakeup, 1);
    return (int)CURLM_OK;
}

ccurl_easy *ccurl_multi_next_done(const ccurl_library *library, ccurl_multi *multi, int *code) {
    int left;
    CURLMsg *message;

    while ((message = library->multi_info_read(multi_of(multi), &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        *code = (int)message->data.result;
        return (ccurl_easy *)message->easy_handle;
    }
    return NULL;
}
