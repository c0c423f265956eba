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
