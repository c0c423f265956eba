import Postgres
internal import TestSupport
import Testing

@Suite struct ValueTests {
    private static let moment = Timestamp(microsecondsSince1970: 1_795_395_600_123_456)

    @Test func `a value of every type comes back as it went`() async throws {
        var connection = try await connect()
        let rows = try connection.query(
            "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12", "naïve 🦊 ‮", "", Int64.min, Int.max, Int32.min, true,
            false,
            -0.1, JSONText(#"{"a":[1,"é"]}"#), [0, 255, 10] as [UInt8], [] as [UInt8], Self.moment)
        let (text, empty, int64, int, int32, yes, no, double, json, bytes, noBytes, timestamp) = rows.only(
            (String, String, Int64, Int, Int32, Bool, Bool, Double, JSONText, [UInt8], [UInt8], Timestamp).self)
        #expect(text == "naïve 🦊 ‮" && empty == "")
        #expect(int64 == .min && int == .max && int32 == .min)
        #expect(yes && !no)
        #expect(double == -0.1)
        #expect(json == JSONText(#"{"a": [1, "é"]}"#))
        #expect(bytes == [0, 255, 10] && noBytes == [])
        #expect(timestamp == Self.moment)
    }

    @Test func `the declared types are those of the table in the documentation`() async throws {
        var connection = try await connect()
        let types = try connection.query(
            "SELECT ARRAY[pg_typeof($1), pg_typeof($2), pg_typeof($3), pg_typeof($4), pg_typeof($5), pg_typeof($6), pg_typeof($7), pg_typeof($8), pg_typeof($9)]::text[]",
            "", Int64(0), 0, Int32(0), true, 0.5, Self.moment, JSONText("null"), [] as [UInt8]
        ).only([String].self)
        #expect(
            types == [
                "text", "bigint", "bigint", "integer", "boolean", "double precision", "timestamp with time zone", "jsonb",
                "bytea",
            ])
        let arrays = try connection.query(
            "SELECT ARRAY[pg_typeof($1), pg_typeof($2), pg_typeof($3), pg_typeof($4), pg_typeof($5), pg_typeof($6)]::text[]",
            [String](), [Int64?](), [Bool]?.none, [Timestamp](), [JSONText](), [[UInt8]]()
        ).only([String].self)
        #expect(arrays == ["text[]", "bigint[]", "boolean[]", "timestamp with time zone[]", "jsonb[]", "bytea[]"])
    }

    @Test func `NULL of every type comes back as nil`() async throws {
        var connection = try await connect()
        let scalars = try connection.query(
            "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9", String?.none, Int64?.none, Int?.none, Int32?.none, Bool?.none,
            Double?.none,
            JSONText?.none, [UInt8]?.none, Timestamp?.none)
        for column in 0..<9 { #expect(scalars.isNull(0, column)) }
        let (text, int64, int, int32, bool, double, json, bytes, timestamp) = scalars.only(
            (String?, Int64?, Int?, Int32?, Bool?, Double?, JSONText?, [UInt8]?, Timestamp?).self)
        #expect(text == nil && int64 == nil && int == nil && int32 == nil && bool == nil && double == nil)
        #expect(json == nil && bytes == nil && timestamp == nil)
        let arrays = try connection.query(
            "SELECT $1, $2, $3, $4, $5, $6", [String]?.none, [Int64]?.none, [Bool?]?.none, [Timestamp]?.none, [JSONText]?.none,
            [[UInt8]]?.none)
        let (texts, ints, bools, timestamps, jsons, byteas) = arrays.only(
            ([String]?, [Int64]?, [Bool?]?, [Timestamp]?, [JSONText]?, [[UInt8]]?).self)
        #expect(texts == nil && ints == nil && bools == nil && timestamps == nil && jsons == nil && byteas == nil)
        scalars.withBytes(0, 0) { #expect($0 == nil) }
        #expect(scalars.optionalText(0, 0) == nil && scalars.optionalInt(0, 1) == nil && scalars.optionalTimestamp(0, 8) == nil)
    }

    @Test func `an optional that holds a value is that value`() async throws {
        var connection = try await connect()
        let rows = try connection.query(
            "SELECT $1, $2, $3, $4", String?("x"), Int64?(7), [UInt8]?([1]), [String?]?(["a", nil]))
        let (text, int, bytes, texts) = rows.only((String?, Int64?, [UInt8]?, [String?]?).self)
        #expect(text == "x" && int == 7 && bytes == [1] && texts == ["a", nil])
        #expect(rows.optionalText(0, 0) == "x" && rows.optionalInt(0, 1) == 7)
    }

    @Test func `arrays of every type come back, with and without NULLs`() async throws {
        var connection = try await connect()
        let texts = ["a\"b,{}", "", "ünï"]
        let rows = try connection.query(
            "SELECT $1, $2, $3, $4, $5, $6", texts, [Int64.min, 0, .max], [true, false], [Self.moment, .distantPast],
            [JSONText("{}"), JSONText("[1, 2]")], [[], [0, 255]] as [[UInt8]])
        let (ownTexts, ints, bools, timestamps, jsons, byteas) = rows.only(
            ([String], [Int64], [Bool], [Timestamp], [JSONText], [[UInt8]]).self)
        #expect(ownTexts == texts && ints == [.min, 0, .max] && bools == [true, false])
        #expect(timestamps == [Self.moment, .distantPast] && jsons == [JSONText("{}"), JSONText("[1, 2]")])
        #expect(byteas == [[], [0, 255]])
        #expect(rows.texts(0, 0) == texts && rows.ints(0, 1) == [.min, 0, .max])

        let gaps = try connection.query(
            "SELECT $1, $2, $3, $4, $5, $6", ["x", nil, ""], [Int64?](arrayLiteral: nil, 1), [Bool?](arrayLiteral: nil, true),
            [Timestamp?](arrayLiteral: .distantFuture, nil), [JSONText?](arrayLiteral: nil, JSONText("null")),
            [[UInt8]?](arrayLiteral: [], nil))
        let (someTexts, someInts, someBools, someTimestamps, someJSONs, someByteas) = gaps.only(
            ([String?], [Int64?], [Bool?], [Timestamp?], [JSONText?], [[UInt8]?]).self)
        #expect(someTexts == ["x", nil, ""] && someInts == [nil, 1] && someBools == [nil, true])
        #expect(someTimestamps == [.distantFuture, nil] && someJSONs == [nil, JSONText("null")] && someByteas == [[], nil])
    }

    @Test func `empty arrays stay empty and are not NULL`() async throws {
        var connection = try await connect()
        let rows = try connection.query(
            "SELECT $1, $2, $3, $4, $5, $6, cardinality($1), cardinality($6)", [String](), [Int64?](), [Bool](), [Timestamp](),
            [JSONText](), [[UInt8]]())
        let (texts, ints, bools, timestamps, jsons, byteas, textCount, byteaCount) = rows.only(
            ([String], [Int64?], [Bool]?, [Timestamp], [JSONText], [[UInt8]], Int, Int).self)
        #expect(texts == [] && ints == [] && bools == [] && timestamps == [] && jsons == [] && byteas == [])
        #expect(textCount == 0 && byteaCount == 0)
    }

    @Test func `arrays unnest side by side`() async throws {
        var connection = try await connect()
        let rows = try connection.query(
            "SELECT * FROM unnest($1, $2, $3) AS row (a, b, c)", [1, 2, 3] as [Int64], ["x", nil, "z"], [true, false, true])
        #expect(rows.count == 3 && rows.affected == 3 && rows.columnNames == ["a", "b", "c"])
        let decoded = rows.decode((Int64, String?, Bool).self)
        #expect(
            decoded.map(\.0) == [1, 2, 3] && decoded.map(\.1) == ["x", nil, "z"] && decoded.map(\.2) == [true, false, true])
    }

    @Test func `an element written in pieces is one text, and a buffer is reused`() async throws {
        var connection = try await connect()
        var texts = BinaryArray(.text)
        texts.append("first")
        texts.beginElement()
        Array("line".utf8).withUnsafeBytes { texts.appendPart($0) }
        texts.appendPart(UInt8(ascii: "\n"))
        texts.endElement()
        var parameters = Parameters()
        parameters.append(texts)
        #expect(try connection.query("SELECT $1", parameters).only([String].self) == ["first", "line\n"])
        texts.removeAll()
        parameters.removeAll()
        texts.appendNull()
        parameters.append(texts)
        parameters.append(true)
        let (again, flag) = try connection.query("SELECT $1, $2", parameters).only(([String?], Bool).self)
        #expect(again == [nil] && flag)
    }

    @Test func `timestamps keep infinity, microseconds and the years before 2000`() async throws {
        var connection = try await connect()
        let moments = [Timestamp.distantPast, .distantFuture, Timestamp(microsecondsSince1970: -1), Self.moment]
        let rows = try connection.query("SELECT at, at::text FROM unnest($1) AS at", moments).decode((Timestamp, String).self)
        #expect(rows.map(\.0) == moments)
        #expect(
            rows.map(\.1) == ["-infinity", "infinity", "1969-12-31 23:59:59.999999+00", "2026-11-23 01:00:00.123456+00"])
        let (never, date, ancient) = try connection.query(
            "SELECT 'infinity'::date, '1999-12-31'::date, '0044-03-15 BC'::timestamptz"
        ).only((Timestamp, Timestamp, Timestamp).self)
        #expect(never == .distantFuture)
        #expect(date == Timestamp(seconds: 946_598_400))
        #expect(ancient == Timestamp(seconds: -63_517_824_000))
    }

    @Test func `numerics, floats and small integers are read as numbers`() async throws {
        var connection = try await connect()
        let rows = try connection.query(
            """
            SELECT sum(n), -20000::numeric, 0.0001::numeric, 12345678.75::numeric, 'NaN'::numeric, 1.5::float4, 3::int2, 9::oid,
                   0::numeric, '-9223372036854775808'::numeric
            FROM unnest(ARRAY[9000000000000000000, 1]) AS n
            """)
        #expect(rows.int(0, 0) == 9_000_000_000_000_000_001)
        #expect(rows.int(0, 1) == -20_000 && rows.double(0, 1) == -20_000)
        #expect(rows.double(0, 2) == 0.0001)
        #expect(rows.double(0, 3) == 12_345_678.75)
        #expect(rows.double(0, 4).isNaN)
        #expect(rows.double(0, 5) == 1.5 && rows.int(0, 6) == 3 && rows.int(0, 7) == 9 && rows.text(0, 6) == "3")
        #expect(rows.int(0, 8) == 0 && rows.int(0, 9) == .min)
    }

    @Test func `other texts, a uuid and arrays of smaller integers are read, too`() async throws {
        var connection = try await connect()
        let (uuid, name, names, small, smaller) = try connection.query(
            "SELECT '10101010-1010-1010-1010-101010101010'::uuid, 'n'::name, ARRAY['a', 'b']::name[], ARRAY[1, -2]::int4[], ARRAY[3, NULL]::int2[]"
        ).only((String, String, [String], [Int64], [Int64?]).self)
        #expect(uuid == "10101010-1010-1010-1010-101010101010" && name == "n" && names == ["a", "b"])
        #expect(small == [1, -2] && smaller == [3, nil])
    }
}

@Suite struct RowDecodingTests {
    struct City: Equatable {
        let name: String
        let people: Int64?
        let tags: [String]
    }

    static let cities: Statement = """
        SELECT * FROM (VALUES ('Bern', 134794::int8, ARRAY['capital']), ('Atlantis', NULL, '{}')) AS c (name, people, tags)
        """

    @Test func `rows become tuples, structs, or what a closure makes of them`() async throws {
        var connection = try await connect()
        let rows = try connection.query(Self.cities)
        let tuples = rows.decode((String, Int64?, [String]).self)
        #expect(tuples.map(\.0) == ["Bern", "Atlantis"] && tuples.map(\.1) == [134_794, nil])
        #expect(
            rows.decode(City.init) == [
                City(name: "Bern", people: 134_794, tags: ["capital"]), City(name: "Atlantis", people: nil, tags: []),
            ])
        let lines = rows.decode { (name: String, people: Int64?, tags: [String]) in "\(name): \(people ?? 0), \(tags.count)" }
        #expect(lines == ["Bern: 134794, 1", "Atlantis: 0, 0"])
    }

    @Test func `the first row is nil where there is none, and what the closure throws is passed on`() async throws {
        struct Refusal: Error {}
        var connection = try await connect()
        let none = try connection.query("SELECT 1::int8, 'x' WHERE false")
        let isThere = none.first((Int64, String).self) != nil
        #expect(!isThere && none.decode((Int64, String).self).isEmpty)
        let some = try connection.query("SELECT n FROM generate_series(1::int8, 3) AS n")
        let first: Int64? = some.first(Int64.self)
        let numbers: [Int] = some.decode { (number: Int) in number }
        #expect(first == 1 && numbers == [1, 2, 3])
        #expect(throws: Refusal.self) { try some.decode { (number: Int64) in if number == 2 { throw Refusal() } } }
    }
}
