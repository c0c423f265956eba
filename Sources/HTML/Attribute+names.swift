extension Attribute {
    package static func `class`(_ names: String) -> Attribute { Attribute("class", names) }
    package static func id(_ id: String) -> Attribute { Attribute("id", id) }
    package static func title(_ text: String) -> Attribute { Attribute("title", HTML.plain(text)) }
    package static func name(_ name: String) -> Attribute { Attribute("name", name) }
    package static func type(_ type: String) -> Attribute { Attribute("type", type) }
    package static func value(_ value: String) -> Attribute { Attribute("value", value) }
    package static func `for`(_ id: String) -> Attribute { Attribute("for", id) }
    package static func method(_ method: String) -> Attribute { Attribute("method", method) }
    package static func role(_ role: String) -> Attribute { Attribute("role", role) }
    package static func label(_ text: String) -> Attribute { Attribute("aria-label", HTML.plain(text)) }
    package static func scope(_ scope: String) -> Attribute { Attribute("scope", scope) }

    /// Where a link leads, or a form goes: a path of this site, or an address of the web. Anything else, such as a script, leads nowhere.
    package static func href(_ place: String) -> Attribute { Attribute("href", safe(place)) }
    package static func src(_ place: String) -> Attribute { Attribute("src", safe(place)) }
    package static func action(_ place: String) -> Attribute { Attribute("action", safe(place)) }

    private static func safe(_ place: String) -> String {
        let isOwn = place.hasPrefix("/") && !place.hasPrefix("//") && !place.hasPrefix("/\\")
        let isFragment = place.hasPrefix("#") || place.hasPrefix("?")
        let isWeb = place.hasPrefix("https://") || place.hasPrefix("http://")
        return isOwn || isFragment || isWeb ? place : "#"
    }

    /// An attribute that is there or is not.
    package static func flag(_ name: StaticString, _ isThere: Bool = true) -> Attribute? {
        isThere ? Attribute(name, nil) : nil
    }
}
