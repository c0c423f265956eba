internal import API
internal import HTML
internal import HTTPTypes
internal import Hummingbird

/// What is shown where there is no page.
enum ErrorPage {
    /// For somebody who is signed in.
    static func response(_ failure: LocalAPI.Failure, _ call: PageCall) -> Response {
        if failure.status == 401 {
            return Response(status: .seeOther, headers: [.location: "/sign-in"])
        }
        let (title, text) = words(of: failure)
        let page = Page(
            title: title,
            blocks: [
                .fixed {
                    div(.class("empty")) {
                        p { text }
                        p { a(.class("button"), .href("/")) { "Overview" } }
                    }
                }
            ], hasFiles: false)
        return Layout.response(page, call, status: failure.status)
    }

    private static func words(of failure: LocalAPI.Failure) -> (String, HTML) {
        switch failure.status {
        case 404: ("There is nothing here", HTML(text: "The address is wrong, or what was here is gone, or not yours to see."))
        case 403: ("That is not yours to see", Format.written(failure.detail))
        case 503: ("That cannot be shown just now", Format.written("\(failure.detail)."))
        default: ("That did not work", Format.written(failure.detail))
        }
    }

    /// Whether a page is wanted rather than data: browsers say so, and whoever says nothing may have one.
    static func isWanted(_ request: Request) -> Bool {
        guard let accept = request.headers[.accept]?.lowercased() else { return true }
        return accept.contains("text/html") || accept.contains("*/*")
    }

    /// For whoever is there: a page, or a problem as the API's are (RFC 9457).
    static func refusal(_ refusal: Refusal, _ request: Request) -> Response {
        var response =
            isWanted(request)
            ? plain(refusal.status, refusal.title, refusal.text)
            : FileAnswer.problem(refusal.status.code, refusal.status.reasonPhrase, refusal.text)
        for field in refusal.headers { response.headers[field.name] = field.value }
        return response
    }

    /// For whoever is there.
    static func plain(_ status: HTTPResponse.Status, _ title: String, _ text: String) -> Response {
        Layout.response(
            Layout.document(title: title) {
                mainElement(.class("alone"), .id("main")) {
                    a(.class("brand"), .href("/")) {
                        Layout.mark
                        "Tenantry"
                    }
                    h1 { title }
                    p { text }
                    p { a(.class("button"), .href("/")) { "To the console" } }
                }
            }, status: status)
    }
}
